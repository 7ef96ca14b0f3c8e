import { env } from "cloudflare:workers";
import { drizzle, type DrizzleD1Database } from "drizzle-orm/d1";

/** A function of `src/storage`, called with whichever of the two it takes. */
export type Call = (db: DrizzleD1Database, d1: D1Database) => Promise<unknown>;

/** A D1 that remembers the text of each statement. Its tables are empty, which a plan does not depend on. */
function recordStatements(): { readonly db: D1Database; readonly statements: string[] } {
  const statements: string[] = [];
  const db = new Proxy(env.DB, {
    get: (target, name) => {
      const member: unknown = Reflect.get(target, name);
      if (typeof member !== "function") return member;
      return (...args: unknown[]) => {
        if (name === "prepare") statements.push(String(args[0]));
        return member.apply(target, args) as unknown;
      };
    },
  });
  return { db, statements };
}

/** How many values a statement binds: its highest `?n`, or else its `?`. */
function countParameters(statement: string): number {
  const numbered = [...statement.matchAll(/\?(\d+)/g)].map((match) => Number(match[1]));
  return numbered.length > 0 ? Math.max(...numbered) : (statement.match(/\?/g) ?? []).length;
}

/** The steps of SQLite's plan, such as `SEARCH orders USING INDEX orders_by_user (tenant_id=? AND user_id=?)`. */
export async function explain(statement: string): Promise<string[]> {
  const values = Array.from({ length: countParameters(statement) }, () => null);
  const { results } = await env.DB.prepare(`EXPLAIN QUERY PLAN ${statement}`)
    .bind(...values)
    .all<{ detail: string }>();
  return results.map((row) => row.detail);
}

/** The statements that a call sends, each with its plan. */
export async function explainCall(call: Call): Promise<{ readonly statement: string; readonly plan: string[] }[]> {
  const { db, statements } = recordStatements();
  await Promise.resolve(call(drizzle(db), db)).catch(() => undefined);
  return Promise.all(statements.map(async (statement) => ({ statement, plan: await explain(statement) })));
}
