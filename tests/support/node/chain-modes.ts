import { findProgramsDir, listMissingPrograms } from "#dev/localnet/program-files";

const programsDir = findProgramsDir();

/** True on a machine that has the real programs. */
export const HAS_PROGRAMS = programsDir !== undefined && listMissingPrograms(programsDir).length === 0;

/** Whose code the chain of a test can run here. */
export const CHAIN_MODES = HAS_PROGRAMS ? (["emulator", "programs"] as const) : (["emulator"] as const);

/** One of {@link CHAIN_MODES}. */
export type ChainMode = (typeof CHAIN_MODES)[number];
