/** `npm run migrations -- <name>`: writes the next D1 migration from what changed in src/storage/schema.ts. */
import { runCommand, type CommandOutcome } from "./run-command.ts";

/**
 * Compares the schema with the migrations in `directory` and writes the next one there when they differ.
 * @param directory relative to the project's root.
 * @param name lower-case words joined by `_`; the file becomes `<number>_<name>.sql`.
 */
export function generateMigration(directory: string, name: string): Promise<CommandOutcome> {
  const schema = ["--dialect", "sqlite", "--schema", "./src/storage/schema.ts"];
  return runCommand("drizzle-kit", ["generate", ...schema, "--out", directory, "--name", name]);
}

async function main(): Promise<number> {
  const name = process.argv[2];
  if (name === undefined || !/^[a-z][a-z0-9_]*$/.test(name)) {
    process.stderr.write(
      "usage: npm run migrations -- <name>   (lower-case words joined by _, for example add_refund_reason)\n",
    );
    return 1;
  }
  const { exitCode, output } = await generateMigration("./migrations/d1", name);
  process.stdout.write(output);
  return exitCode;
}

if (import.meta.main) process.exitCode = await main();
