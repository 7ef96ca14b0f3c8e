import { parseArgs } from "node:util";
import { OPERATIONS, type Operation } from "./operations.ts";

/** What the command line asks for. */
export interface BenchOptions {
  readonly seconds: number;
  readonly rounds: number;
  readonly operations: readonly Operation[];
  /** Order desks of the tenant. */
  readonly desks: number;
  /** D1 in the process of the service, as `npm start` has it, in place of one of its own. */
  readonly isOneProcess: boolean;
  /** The run of many minutes in place of the table. */
  readonly isLong: boolean;
  /** Requests while 100,000 expired holds are swept, in place of the table. */
  readonly isSweep: boolean;
  /** How much of what the machine sustains those requests are, 0 to 1. */
  readonly sweepLoad: number;
  /** The reconciliation of 100,000 reservations in place of the table. */
  readonly isReconcile: boolean;
  /** Minting on the local chain in place of the table. */
  readonly isMint: boolean;
  /** Where the time of each operation goes, in place of the table. */
  readonly isProfile: boolean;
}

/** A command line that says something else than {@link USAGE}. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

const LONGEST_SECONDS = 60;
const MOST_ROUNDS = 20;
const MOST_DESKS = 256;
const DESKS_OF_ONE_THREAD = 1;
const SWEEP_LOAD_PERCENT = 25;
const NAMES = OPERATIONS.map((operation) => operation.name).join(", ");

/** What the command takes. */
export const USAGE = `npm run bench -- [--seconds N] [--rounds N] [--only NAME] [--desks N] [--one-process] [--long] [--sweep [--load N]] [--reconcile] [--mint] [--profile]
  --seconds  length of each load, 1 to ${LONGEST_SECONDS}; 5 when left out
  --rounds   loads of each kind, 1 to ${MOST_ROUNDS}; 3 when left out; the middle one is reported
  --only     one of ${NAMES}
  --desks    ORDER_DESKS_PER_TENANT, 1 to ${MOST_DESKS}; ${DESKS_OF_ONE_THREAD} when left out, because here all objects share one thread
  --one-process  D1 in the process of the service, as under npm start; left out, it has one of its own, as on Cloudflare
  --long     instead of the table: a sale with 100,000 orders in place; takes five minutes or more
  --sweep    instead of the table: how long requests wait while 100,000 holds that expired at once are swept; takes four minutes
  --load     with --sweep: how much of what the machine sustains those requests are, 1 to 100 percent; ${SWEEP_LOAD_PERCENT} when left out
  --reconcile  instead of the table: how long it takes to repair 100,000 reservations in D1; a minute or so
  --mint     instead of the table: tickets minted a second, and what each costs, on the local chain; a minute or so
  --profile  instead of the table: in which functions the time of each operation goes; half a minute for each`;

/** @throws UsageError */
export function parseBenchOptions(args: readonly string[]): BenchOptions {
  const flags = readFlags(args);
  const { seconds, rounds, only, desks, long, sweep, load, reconcile, mint, profile } = flags;
  const operations = only === undefined ? OPERATIONS : OPERATIONS.filter((operation) => operation.name === only);
  if (operations.length === 0) throw new UsageError(`--only takes one of ${NAMES}\n${USAGE}`);
  return {
    seconds: parseCount("seconds", seconds ?? "5", LONGEST_SECONDS),
    rounds: parseCount("rounds", rounds ?? "3", MOST_ROUNDS),
    operations,
    desks: desks === undefined ? DESKS_OF_ONE_THREAD : parseCount("desks", desks, MOST_DESKS),
    isOneProcess: flags["one-process"] ?? false,
    isLong: long ?? false,
    isSweep: sweep ?? false,
    sweepLoad: parseCount("load", load ?? String(SWEEP_LOAD_PERCENT), 100) / 100,
    isReconcile: reconcile ?? false,
    isMint: mint ?? false,
    isProfile: profile ?? false,
  };
}

function readFlags(args: readonly string[]): {
  seconds?: string;
  rounds?: string;
  only?: string;
  desks?: string;
  "one-process"?: boolean;
  long?: boolean;
  sweep?: boolean;
  load?: string;
  reconcile?: boolean;
  mint?: boolean;
  profile?: boolean;
} {
  const flag = { type: "string" } as const;
  try {
    return parseArgs({
      args: [...args],
      options: {
        seconds: flag,
        rounds: flag,
        only: flag,
        desks: flag,
        "one-process": { type: "boolean" },
        long: { type: "boolean" },
        sweep: { type: "boolean" },
        load: flag,
        reconcile: { type: "boolean" },
        mint: { type: "boolean" },
        profile: { type: "boolean" },
      },
    }).values;
  } catch (error) {
    throw new UsageError(`${error instanceof Error ? error.message : String(error)}\n${USAGE}`);
  }
}

function parseCount(name: string, text: string, most: number): number {
  const count = Number(text);
  if (!Number.isInteger(count) || count < 1 || count > most) throw new UsageError(`--${name} takes 1 to ${most}\n${USAGE}`);
  return count;
}
