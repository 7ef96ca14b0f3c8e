import { spawn } from "node:child_process";
import { delimiter, join } from "node:path";
import { PROJECT_ROOT } from "./build-bundle.ts";

/** How a command ended. */
export interface CommandOutcome {
  /** 0 for success; -1 when a signal ended it. */
  readonly exitCode: number;
  /** Standard output and error, in the order they came. */
  readonly output: string;
}

/**
 * Runs a program of `node_modules/.bin` in the project's root, on the project's own Node, without standard input.
 * @throws only when the program cannot be started.
 */
export function runCommand(program: string, args: readonly string[]): Promise<CommandOutcome> {
  const bin = join(PROJECT_ROOT, "node_modules/.bin");
  const env: NodeJS.ProcessEnv = {
    ...process.env,
    PATH: `${bin}${delimiter}${process.env["PATH"] ?? ""}`,
    WRANGLER_SEND_METRICS: "false",
  };
  if (!process.stdout.isTTY) env["NO_COLOR"] = "1";
  return new Promise((resolve, reject) => {
    const child = spawn(join(bin, program), args, { cwd: PROJECT_ROOT, env, stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    const collect = (chunk: Buffer): void => {
      output += chunk.toString("utf8");
    };
    child.stdout.on("data", collect);
    child.stderr.on("data", collect);
    child.on("error", reject);
    child.on("close", (code) => resolve({ exitCode: code ?? -1, output }));
  });
}
