/** `npm run migrations -- <name>`: writes the next D1 migration from what changed in src/storage/schema.ts. */
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { runCommand, type CommandOutcome } from "./run-command.ts";

/**
 * The migration with `WITHOUT ROWID` at each table it makes, which the schema language cannot say. With text keys SQLite would
 * else write a row and an index entry where one of them does, and D1 bills both. A table that counts its rows keeps its rowid.
 */
export function withoutRowids(sql: string): string {
  return sql.replaceAll(/CREATE TABLE `[^`]+` \(\n(?:\t.*\n)*\);/g, (table) =>
    table.includes("AUTOINCREMENT") ? table : `${table.slice(0, -1)} WITHOUT ROWID;`,
  );
}

async function rewriteNewest(directory: string): Promise<void> {
  const newest = (await readdir(directory))
    .filter((name) => name.endsWith(".sql"))
    .toSorted()
    .at(-1);
  if (newest === undefined) return;
  const path = join(directory, newest);
  await writeFile(path, withoutRowids(await readFile(path, "utf8")));
}

/**
 * Compares the schema with the migrations in `directory` and writes the next one there when they differ.
 * @param directory relative to the project's root.
 * @param name lower-case words joined by `_`; the file becomes `<number>_<name>.sql`.
 */
export function generateMigration(directory: string, name: string): Promise<CommandOutcome> {
  const schema = ["--dialect", "sqlite", "--schema", "./src/storage/schema.ts"];
  return runCommand("drizzle-kit", ["generate", ...schema, "--out", directory, "--name", name]);
}

const MIGRATIONS = "./migrations/d1";

async function main(): Promise<number> {
  const name = process.argv[2];
  if (name === undefined || !/^[a-z][a-z0-9_]*$/.test(name)) {
    process.stderr.write(
      "usage: npm run migrations -- <name>   (lower-case words joined by _, for example add_refund_reason)\n",
    );
    return 1;
  }
  const { exitCode, output } = await generateMigration(MIGRATIONS, name);
  process.stdout.write(output);
  if (exitCode === 0) await rewriteNewest(MIGRATIONS);
  return exitCode;
}

if (import.meta.main) process.exitCode = await main();
