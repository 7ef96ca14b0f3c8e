import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { claimPort, PortInUseError } from "./claim-port.ts";

const SQLITE_BUSY = 5;

/** A folder that another running program has claimed, or works on without a claim. Its message says which. */
export class FolderInUseError extends Error {
  override readonly name = "FolderInUseError";
}

/**
 * Claims a folder for this program and its runtime on `port`: two runtimes on one state folder damage each other's databases. The
 * claim is a lock of the operating system, which ends with its program however that ends; a remembered id would outlive it, and
 * soon be another's. Only the runtime lives on when its program is killed: who claims next finds its port taken.
 * @returns gives the folder up again.
 * @throws FolderInUseError while another program holds it, or the runtime of one that was killed still runs; PortInUseError.
 */
export async function claimFolder(folder: string, port: number): Promise<() => Promise<void>> {
  const notePath = join(folder, "claimed-by");
  const lock = new DatabaseSync(join(folder, "claim.sqlite"));
  const isMine = takeLock(lock);
  const note = await readFile(notePath, "utf8").catch(() => "unknown");
  const [holder, portLeft] = note.split(" ");
  if (!isMine) {
    throw new FolderInUseError(
      `${folder} is in use by the program with id ${holder}: stop it first, or start this one in another clone`,
    );
  }
  try {
    if (portLeft !== undefined && !(await isFree(Number(portLeft))))
      throw new FolderInUseError(sayLeftBehind(folder, portLeft));
    // A port that is taken now is no sign of a runtime left behind later.
    await claimPort(port);
    await writeFile(notePath, `${process.pid} ${port}`);
  } catch (error) {
    lock.close();
    throw error;
  }
  return async () => {
    await rm(notePath, { force: true });
    lock.close();
  };
}

function sayLeftBehind(folder: string, port: string): string {
  const advice = `stop what listens on port ${port}, or delete ${join(folder, "claimed-by")} if that is something else`;
  return `${folder} may be in use by the service of an npm start that was killed: ${advice}`;
}

async function isFree(port: number): Promise<boolean> {
  try {
    await claimPort(port);
    return true;
  } catch (error) {
    if (error instanceof PortInUseError) return false;
    throw error;
  }
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
