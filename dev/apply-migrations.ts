import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { PROJECT_ROOT } from "./build-bundle.ts";

/** The part of a D1 database that migrations need. */
export interface MigrationTarget {
  prepare(sql: string): MigrationStatement;
  batch(statements: MigrationStatement[]): Promise<unknown>;
}

interface MigrationStatement {
  bind(...values: unknown[]): MigrationStatement;
  all<Row>(): Promise<{ results: Row[] }>;
  run(): Promise<unknown>;
}

/** A database that another version of the service made. Its message says what to do. */
export class ForeignDatabaseError extends Error {
  override readonly name = "ForeignDatabaseError";
}

/** Same table and columns as `wrangler d1 migrations apply`, so that either may follow the other on one database. */
const CREATE_LOG = `CREATE TABLE IF NOT EXISTS d1_migrations (
  id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT UNIQUE, applied_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP NOT NULL)`;

/**
 * Applies, in order, the D1 migrations that `database` has not seen. Each is one transaction together with its entry in the
 * log, so a failed one leaves nothing behind, and its error is thrown, never swallowed.
 * @returns the file names applied now.
 * @throws ForeignDatabaseError for a database that has seen others than these: its tables are not what these change.
 */
export async function applyMigrations(database: MigrationTarget): Promise<string[]> {
  const directory = join(PROJECT_ROOT, "migrations/d1");
  await database.prepare(CREATE_LOG).run();
  const { results } = await database.prepare("SELECT name FROM d1_migrations").all<{ name: string }>();
  const applied = new Set(results.map((row) => row.name));
  const known = (await readdir(directory)).filter((name) => name.endsWith(".sql")).toSorted();
  const pending = known.filter((name) => !applied.has(name));
  const foreign = [...applied].find((name) => !known.includes(name));
  if (foreign !== undefined && pending.length > 0) {
    throw new ForeignDatabaseError(
      `the database was made by another version (${foreign}); locally, delete .wrangler/state to begin anew`,
    );
  }
  for (const name of pending) {
    const text = await readFile(join(directory, name), "utf8");
    const statements = text.split("--> statement-breakpoint").map((sql) => database.prepare(sql.trim()));
    const entry = database.prepare("INSERT INTO d1_migrations (name) VALUES (?)").bind(name);
    await database.batch([...statements, entry]);
  }
  return pending;
}
