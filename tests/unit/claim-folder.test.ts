import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { claimFolder, FolderInUseError } from "#dev/claim-folder";
import { claimPort, PortInUseError } from "#dev/claim-port";

const MODULE = join(import.meta.dirname, "../../dev/claim-folder.ts");
/** Claims the folder and stays, like the service. */
const HOLDER = `import { claimFolder } from ${JSON.stringify(MODULE)};
globalThis.giveUp = await claimFolder(process.argv[1], Number(process.argv[2]));
console.log(process.pid);
setInterval(() => undefined, 1000);`;

let folder = "";
let port = 0;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "claim-"));
  port = await claimPort(0);
});
afterEach(() => rm(folder, { recursive: true, force: true }));

it("lets one program at a time work on a state folder, and the next one once it has given it up", async () => {
  const giveUp = await claimFolder(folder, port);
  await expect(claimFolder(folder, port)).rejects.toThrow(`in use by the program with id ${process.pid}`);
  await giveUp();
  await claimAgain();
});

it("starts again at once where the last start was killed, even while its parent has not asked how it ended", async () => {
  const { holder, stop } = await killHolder();
  await expect.poll(claimAgain).toBe("claimed");
  expect(process.kill(holder, 0)).toBe(true);
  stop();
});

it("does not start beside the runtime that a killed start left behind, on whatever port", async () => {
  const { stop } = await killHolder();
  const leftBehind = createServer();
  await new Promise<void>((resolve) => leftBehind.listen(port, "127.0.0.1", resolve));
  const elsewhere = await claimPort(0);
  await expect.poll(() => claimFolder(folder, elsewhere).catch(String)).toContain(`stop what listens on port ${port}`);
  await new Promise((resolve) => leftBehind.close(resolve));
  expect(await claimAgain()).toBe("claimed");
  stop();
});

it("starts on another port where it was refused one that is taken", async () => {
  const other = createServer();
  await new Promise<void>((resolve) => other.listen(port, "127.0.0.1", resolve));
  await expect(claimFolder(folder, port)).rejects.toBeInstanceOf(PortInUseError);
  port = await claimPort(0);
  await expect.poll(claimAgain).toBe("claimed");
  other.close();
});

async function claimAgain(): Promise<string> {
  const giveUp = await claimFolder(folder, port);
  await giveUp();
  return "claimed";
}

/** A program that claimed the folder and was killed. The shell becomes one that never asks, so it stays in the table of processes. */
async function killHolder(): Promise<{ readonly holder: number; readonly stop: () => void }> {
  const script = '"$0" --input-type=module -e "$1" "$2" "$3" & exec sleep 60';
  const args = ["-c", script, process.execPath, HOLDER, folder, String(port)];
  const parent = spawn("sh", args, { stdio: ["ignore", "pipe", "inherit"] });
  const [printed]: unknown[] = await once(parent.stdout, "data");
  const holder = Number(String(printed));
  await expect(claimFolder(folder, port)).rejects.toBeInstanceOf(FolderInUseError);
  process.kill(holder, "SIGKILL");
  return { holder, stop: () => void parent.kill() };
}
