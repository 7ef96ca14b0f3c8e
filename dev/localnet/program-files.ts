import { existsSync } from "node:fs";
import { join } from "node:path";
import { PROJECT_ROOT } from "../build-bundle.ts";

/** Each program's id and the file that holds its ELF. */
export const PROGRAM_FILES: readonly (readonly [programId: string, file: string])[] = [
  ["BGUMAp9Gq7iTEuizy4pqaxsTyUCBK68MDfK752saRPUY", "mpl_bubblegum.so"],
  ["mcmt6YrQEMKw8Mw43FmpRLmf7BqRnFMKmAcbxE3xkAW", "mpl_account_compression.so"],
  ["mnoopTCrg4p8ry25e4bcWA9XZjbNjMTfgYVGGEdRsf3", "mpl_noop.so"],
  ["CoREENxT6tW1HoK8ypY1SxRMZTcVPm7R94rH4PZNhX7d", "mpl_core.so"],
];

/** Where `npm run chain:programs` puts them; git ignores it. */
export const PROGRAMS_CACHE = join(PROJECT_ROOT, ".cache/solana-programs");

/** What is missing in a folder for the real programs to run; empty when all are there. */
export function listMissingPrograms(programsDir: string): string[] {
  return PROGRAM_FILES.map(([, file]) => file).filter((file) => !existsSync(join(programsDir, file)));
}

/** The folder with the real programs: `SOLANA_PROGRAMS_DIR`, else the cache once it is filled; undefined when there is none. */
export function findProgramsDir(): string | undefined {
  const named = process.env["SOLANA_PROGRAMS_DIR"];
  if (named !== undefined && named !== "") return named;
  return listMissingPrograms(PROGRAMS_CACHE).length === 0 ? PROGRAMS_CACHE : undefined;
}
