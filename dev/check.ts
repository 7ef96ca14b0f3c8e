/**
 * `npm run check`: format, typed lint, types, dead code and migration drift. Says nothing when all is well; otherwise prints
 * what each failed check said and exits 1.
 */
import { cp, mkdtemp, readdir, rm } from "node:fs/promises";
import { join, relative } from "node:path";
import { PROJECT_ROOT } from "./build-bundle.ts";
import { generateMigration } from "./generate-migrations.ts";
import { runCommand } from "./run-command.ts";

interface Check {
  readonly title: string;
  /** @returns what is wrong, or an empty text. */
  run(): Promise<string>;
}

const AT_ONCE = 2;

function commandCheck(title: string, program: string, args: readonly string[]): Check {
  return {
    title,
    async run() {
      const { exitCode, output } = await runCommand(program, args);
      return exitCode === 0 ? "" : output.trim() || `${program} exited with ${exitCode}`;
    },
  };
}

/** Generates into a copy of the migrations: a file that appears there is a change of the schema that nobody migrated. */
async function findMigrationDrift(): Promise<string> {
  const committed = join(PROJECT_ROOT, "migrations/d1");
  // Under the project, because drizzle-kit takes only paths relative to it.
  const copy = await mkdtemp(join(PROJECT_ROOT, "node_modules/.migration-drift-"));
  try {
    await cp(committed, copy, { recursive: true });
    const { exitCode, output } = await generateMigration(`./${relative(PROJECT_ROOT, copy)}`, "drift");
    if (exitCode !== 0) return output.trim();
    const known = new Set(await readdir(committed));
    const added = (await readdir(copy)).filter((name) => !known.has(name));
    return added.length === 0 ? "" : "src/storage/schema.ts says more than migrations/d1: npm run migrations -- <name>";
  } finally {
    await rm(copy, { recursive: true, force: true });
  }
}

const CHECKS: readonly Check[] = [
  commandCheck("types of the Worker", "tsc", ["-p", "tsconfig.json"]),
  commandCheck("lint", "oxlint", ["--deny-warnings"]),
  commandCheck("types of the tools", "tsc", ["-p", "tsconfig.node.json"]),
  commandCheck("format", "oxfmt", ["--list-different"]),
  commandCheck("dead code", "knip", ["--no-progress"]),
  { title: "migrations", run: findMigrationDrift },
];

async function main(): Promise<number> {
  const waiting = [...CHECKS];
  let failedCount = 0;
  const work = async (): Promise<void> => {
    for (let check = waiting.shift(); check !== undefined; check = waiting.shift()) {
      const problem = await check.run();
      if (problem === "") continue;
      failedCount += 1;
      process.stdout.write(`✗ ${check.title}\n${problem}\n\n`);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return failedCount === 0 ? 0 : 1;
}

process.exitCode = await main();
