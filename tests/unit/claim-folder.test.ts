import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { claimFolder, FolderInUseError } from "#dev/claim-folder";

const MODULE = join(import.meta.dirname, "../../dev/claim-folder.ts");
/** Claims the folder and stays, like the service. */
const HOLDER = `import { claimFolder } from ${JSON.stringify(MODULE)};
globalThis.giveUp = await claimFolder(process.argv[1]);
console.log(process.pid);
setInterval(() => undefined, 1000);`;

let folder = "";

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "claim-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

it("lets one program at a time work on a state folder, and the next one once it has given it up", async () => {
  const giveUp = await claimFolder(folder);
  await expect(claimFolder(folder)).rejects.toThrow(`in use by the program with id ${process.pid}`);
  giveUp();
  (await claimFolder(folder))();
});

it("starts again at once where the last start was killed, even while its parent has not asked how it ended", async () => {
  // The shell becomes a program that never asks, so the killed one stays in the table of processes.
  const script = '"$0" --input-type=module -e "$1" "$2" & exec sleep 60';
  const parent = spawn("sh", ["-c", script, process.execPath, HOLDER, folder], { stdio: ["ignore", "pipe", "inherit"] });
  const [printed]: unknown[] = await once(parent.stdout, "data");
  const holder = Number(String(printed));
  await expect(claimFolder(folder)).rejects.toBeInstanceOf(FolderInUseError);
  process.kill(holder, "SIGKILL");
  const claimAgain = async (): Promise<string> => {
    (await claimFolder(folder))();
    return "claimed";
  };
  await expect.poll(claimAgain).toBe("claimed");
  expect(process.kill(holder, 0)).toBe(true);
  parent.kill();
});
