import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";

const SQLITE_BUSY = 5;

/** A folder that another running program has claimed. Its message says which. */
export class FolderInUseError extends Error {
  override readonly name = "FolderInUseError";
}

/**
 * Claims a folder for this program: two runtimes on one state folder damage each other's databases. The claim is a lock of the
 * operating system, which ends with its program however that ends; a remembered id would outlive it, and soon be another's.
 * @returns gives the folder up again.
 * @throws FolderInUseError while another program holds it.
 */
export async function claimFolder(folder: string): Promise<() => void> {
  const holderPath = join(folder, "claimed-by");
  const lock = new DatabaseSync(join(folder, "claim.sqlite"));
  if (!takeLock(lock)) {
    const holder = await readFile(holderPath, "utf8").catch(() => "unknown yet");
    throw new FolderInUseError(
      `${folder} is in use by the program with id ${holder}: stop it first, or start this one in another clone`,
    );
  }
  await writeFile(holderPath, String(process.pid));
  return () => lock.close();
}

/** @returns false when another holds the lock; then the database is closed. */
function takeLock(lock: DatabaseSync): boolean {
  try {
    lock.exec("BEGIN EXCLUSIVE");
    return true;
  } catch (error) {
    lock.close();
    if (error instanceof Error && "errcode" in error && error.errcode === SQLITE_BUSY) return false;
    throw error;
  }
}
