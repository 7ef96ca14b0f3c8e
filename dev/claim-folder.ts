import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

/** A folder that another running program has claimed. Its message says which. */
export class FolderInUseError extends Error {
  override readonly name = "FolderInUseError";
}

/**
 * Claims a folder for this program: two runtimes on one state folder damage each other's databases. A claim whose program
 * has died counts for nothing.
 * @returns gives the folder up again.
 * @throws FolderInUseError while another program holds it.
 */
export async function claimFolder(folder: string): Promise<() => Promise<void>> {
  const path = join(folder, "claimed-by");
  const holder = Number(await readFile(path, "utf8").catch(() => "0"));
  if (holder > 0 && holder !== process.pid && isRunning(holder)) {
    throw new FolderInUseError(
      `${folder} is in use by the program with id ${holder}: stop it first, or start this one in another clone`,
    );
  }
  await writeFile(path, String(process.pid));
  return () => rm(path, { force: true });
}

function isRunning(processId: number): boolean {
  try {
    return process.kill(processId, 0); // signal 0 only asks
  } catch {
    return false;
  }
}
