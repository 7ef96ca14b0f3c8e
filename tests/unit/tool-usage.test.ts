import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";

const ROOT = join(import.meta.dirname, "../..");
const PATIENCE_MS = 60_000;

/** Runs what `npm run` would, with an option that no tool has. */
async function misuse(script: string): Promise<{ readonly failed: boolean; readonly stderr: string }> {
  const { scripts } = JSON.parse(await readFile(join(ROOT, "package.json"), "utf8")) as { scripts: Record<string, string> }; // ours
  const [, ...args] = (scripts[script] ?? "").split(" ");
  return new Promise((resolve) => {
    execFile(process.execPath, [...args, "--nonsense"], { cwd: ROOT }, (error, _, stderr) =>
      resolve({ failed: error !== null, stderr }),
    );
  });
}

describe("a tool that is called wrongly", () => {
  test.each(["simulate", "chain:setup", "chain:programs", "chain:costs"])(
    "%s names the option that it does not know, says how it is called, and shows no stack",
    { timeout: PATIENCE_MS },
    async (script) => {
      const { failed, stderr } = await misuse(script);
      expect(failed).toBe(true);
      expect(stderr).toContain("--nonsense");
      expect(stderr).toMatch(new RegExp(`npm run ${script} --`));
      expect(stderr).not.toMatch(/^ {4}at /m);
    },
  );
});
