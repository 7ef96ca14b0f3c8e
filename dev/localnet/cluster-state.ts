import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import type { LedgerEntry, StoredAccount } from "./cluster.ts";
import type { Outcome } from "./executor.ts";
import { NOTHING_LOADED } from "./loaded-addresses.ts";
import { decodeTransaction } from "./transaction-encoding.ts";

/** A cluster at rest. The ledger is in the order in which it was made. */
export interface ClusterState {
  readonly slot: number;
  readonly height: number;
  readonly accounts: readonly (StoredAccount & { readonly address: string })[];
  readonly ledger: readonly (readonly [signature: string, entry: LedgerEntry])[];
}

/** As written to the file: bytes are base64, and a transaction is its wire bytes. */
interface WrittenState {
  readonly format: typeof FORMAT;
  readonly slot: number;
  readonly height: number;
  readonly accounts: readonly (Omit<StoredAccount, "data"> & { readonly address: string; readonly data: string })[];
  readonly ledger: readonly WrittenEntry[];
}

type WrittenEntry = Omit<LedgerEntry, "decoded" | "outcome"> & {
  readonly outcome: Omit<Outcome, "loaded"> & Partial<Pick<Outcome, "loaded">>;
  readonly signature: string;
  readonly wire: string | null;
};

const FORMAT = "edge-tickets/localnet/1";

/** Reads a state file. @returns undefined when there is none. @throws Error when it is something else. */
export function readStateFile(path: string): ClusterState | undefined {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  }
  const written = JSON.parse(text) as WrittenState; // Its format is checked next; only this module writes it.
  if (written.format !== FORMAT) throw new Error(`${path} is no state of the local chain: remove it`);
  return {
    slot: written.slot,
    height: written.height,
    accounts: written.accounts.map((account) => ({ ...account, data: fromBase64(account.data) })),
    ledger: written.ledger.map(({ signature, wire, ...entry }) => [
      signature,
      {
        ...entry,
        // A chain that was kept before there were tables has none.
        outcome: { ...entry.outcome, loaded: entry.outcome.loaded ?? NOTHING_LOADED },
        decoded: wire === null ? null : decodeTransaction(fromBase64(wire)),
      },
    ]),
  };
}

/** Writes a state file whole or not at all: a reader never sees half of it. */
export function writeStateFile(path: string, state: ClusterState): void {
  const written: WrittenState = {
    format: FORMAT,
    slot: state.slot,
    height: state.height,
    accounts: state.accounts.map((account) => ({ ...account, data: toBase64(account.data) })),
    ledger: state.ledger.map(([signature, { decoded, ...entry }]) => ({
      ...entry,
      signature,
      wire: decoded === null ? null : toBase64(decoded.wire),
    })),
  };
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(`${path}.new`, JSON.stringify(written));
  renameSync(`${path}.new`, path);
}

function toBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("base64");
}

function fromBase64(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, "base64"));
}
