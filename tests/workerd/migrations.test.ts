import { applyD1Migrations } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { makeValidRows, type Row } from "../support/valid-rows.ts";

interface ForeignKey {
  readonly table: string;
  readonly parent: string;
  readonly columns: string;
}

interface WordCheck {
  readonly name: string;
  readonly table: string;
  readonly column: string;
  readonly words: readonly string[];
}

/** Rows of whoever sent the webhook, written before its tenant is known, and of the chain, which knows none. */
const TABLES_OF_NO_TENANT = ["webhook_nonces", "merkle_trees", "tree_nodes", "tree_leaves", "undelivered_cursors"];

async function listTables(): Promise<{ name: string; sql: string }[]> {
  const query = `SELECT name, sql FROM sqlite_master WHERE type = 'table'
    AND name NOT LIKE 'sqlite_%' AND name NOT LIKE '_cf_%' AND name <> 'd1_migrations' ORDER BY name`;
  return (await env.DB.prepare(query).all<{ name: string; sql: string }>()).results;
}

async function listForeignKeys(table: string): Promise<ForeignKey[]> {
  const { results } = await env.DB.prepare(`PRAGMA foreign_key_list("${table}")`).all<{
    id: number;
    table: string;
    from: string;
  }>();
  return [...new Set(results.map((part) => part.id))].map((id) => {
    const parts = results.filter((part) => part.id === id);
    return { table, parent: parts[0]?.table ?? "", columns: parts.map((part) => part.from).join(", ") };
  });
}

/** The CHECKs that hold a column to a list of words. */
function listWordChecks(table: string, sql: string): WordCheck[] {
  return [...sql.matchAll(/CONSTRAINT "(\w+)" CHECK\("\w+"\."(\w+)" IN \(([^)]*)\)\)/g)].map(
    ([, name = "", column = "", words = ""]) => ({
      name,
      table,
      column,
      words: words.split(", ").map((word) => word.slice(1, -1)),
    }),
  );
}

function insert(table: string, row: Row): D1PreparedStatement {
  const columns = Object.keys(row);
  const sql = `INSERT INTO ${table} (${columns.join(", ")}) VALUES (${columns.map(() => "?").join(", ")})`;
  return env.DB.prepare(sql).bind(...Object.values(row));
}

/** Writes valid rows up to `table` and gives the valid row that comes next, not yet written. */
async function writeRowsBefore(table: string): Promise<Row> {
  const rows = makeValidRows();
  const position = rows.findIndex(([name]) => name === table);
  const next = rows[position];
  if (next === undefined) throw new Error(`tests/support/valid-rows.ts has no row for ${table}`);
  if (position > 0) await env.DB.batch(rows.slice(0, position).map(([name, row]) => insert(name, row)));
  return next[1];
}

const tables = await listTables();
const foreignKeys = (await Promise.all(tables.map(({ name }) => listForeignKeys(name)))).flat();
const wordChecks = tables.flatMap(({ name, sql }) => listWordChecks(name, sql));

describe("D1 migrations", () => {
  it("make every table the service works with", () => {
    expect(tables.map(({ name }) => name)).toEqual(
      makeValidRows()
        .map(([name]) => name)
        .toSorted(),
    );
    expect(tables).toHaveLength(31);
    expect(foreignKeys).toHaveLength(27);
    expect(wordChecks).toHaveLength(18);
  });

  it("change nothing when they are applied again", async () => {
    await applyD1Migrations(env.DB, env.TEST_D1_MIGRATIONS);
    expect(await listTables()).toEqual(tables);
  });

  it("write one row where a rowid beside the key would cost two", async () => {
    const withRowid = (await listTables()).filter((table) => !/\bWITHOUT ROWID$/.test(table.sql)).map((table) => table.name);
    expect(withRowid).toEqual(["outbox"]);
  });

  it("keep each tenant's rows marked as its own", async () => {
    for (const { name } of tables) {
      const { results } = await env.DB.prepare(`PRAGMA table_info("${name}")`).all<{ name: string }>();
      const hasTenant = results.some((column) => column.name === "tenant_id");
      expect(hasTenant, name).toBe(!TABLES_OF_NO_TENANT.includes(name));
    }
  });

  it.each(tables)("accept a sound row in $name", async ({ name }) => {
    const row = await writeRowsBefore(name);
    expect((await insert(name, row).run()).success).toBe(true);
  });

  it.each(foreignKeys)("refuse an orphan: $table whose $columns names no row of $parent", async ({ table, columns }) => {
    const row = await writeRowsBefore(table);
    const nobody = Object.fromEntries(
      columns.split(", ").map((column) => [column, typeof row[column] === "number" ? 999 : crypto.randomUUID()]),
    );
    await expect(insert(table, { ...row, ...nobody }).run()).rejects.toThrow("FOREIGN KEY constraint failed");
  });

  it.each(wordChecks)("refuse a word that column $column of $table does not know", async ({ name, table, column }) => {
    const row = await writeRowsBefore(table);
    await expect(insert(table, { ...row, [column]: "NONSENSE" }).run()).rejects.toThrow(`CHECK constraint failed: ${name}`);
  });

  it.each([
    ["orders", "PENDING PAYMENT_FAILED EXPIRED CANCELLED PAID AWAITING_MINT MINT_FAILED COMPLETED REFUNDED"],
    ["tickets", "AVAILABLE RESERVED SOLD TRANSFERRED USED CANCELLED EXPIRED"],
    ["reservations", "PENDING ACTIVE COMPLETED CANCELLED EXPIRED"],
    ["reservation_history", "PENDING ACTIVE COMPLETED CANCELLED EXPIRED"],
  ])("speak the contract's words in %s.status", (table, words) => {
    const check = wordChecks.find((candidate) => candidate.table === table && candidate.column === "status");
    expect(check?.words.toSorted()).toEqual(words.split(" ").toSorted());
  });

  it.each<[string, string, Row]>([
    ["more tickets sold than there are", "ticket_types", { sold_count: 101 }],
    ["a negative price", "ticket_types", { price_cents: -1 }],
    ["an event that ends before it starts", "events", { ends_at_ms: 0 }],
    ["an order whose total is not its sum", "orders", { total_cents: 1 }],
    ["an order line whose total is not its sum", "order_items", { total_cents: 1 }],
    ["a refund of nothing", "refunds", { amount_cents: 0 }],
    ["a transfer to two recipients", "ticket_transfers", { to_email: "a@example.test" }],
    ["a burn that was sent without its signature", "asset_burns", { status: "SUBMITTED" }],
    ["a delivery that waits for no time", "webhook_deliveries", { next_attempt_at_ms: null }],
    ["a minted ticket without its asset", "mint_jobs", { status: "MINTED" }],
  ])("refuse %s", async (_, table, change) => {
    const row = await writeRowsBefore(table);
    await expect(insert(table, { ...row, ...change }).run()).rejects.toThrow("CHECK constraint failed");
  });
});
