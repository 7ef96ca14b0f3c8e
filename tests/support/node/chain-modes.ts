import { it } from "vitest";
import { findProgramsDir, listMissingPrograms } from "#dev/localnet/program-files";

const programsDir = findProgramsDir();

/** True on a machine that has the real programs. */
export const HAS_PROGRAMS = programsDir !== undefined && listMissingPrograms(programsDir).length === 0;

/** Whose code the chain of a test can run here. */
export const CHAIN_MODES = HAS_PROGRAMS ? (["emulator", "programs"] as const) : (["emulator"] as const);

/** Puts a line into a file's report that says what this machine did not run, where it lacks the real programs. */
export function tellOfMissingPrograms(): void {
  it.skipIf(HAS_PROGRAMS)("NOT RUN against the real programs: npm run chain:programs downloads them", ({ skip }) => {
    skip();
  });
}

/** One of {@link CHAIN_MODES}. */
export type ChainMode = (typeof CHAIN_MODES)[number];
