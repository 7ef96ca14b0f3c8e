import { publicKey, type AddressLookupTableInput, type Umi } from "@metaplex-foundation/umi";
import { judgeLookupTable } from "#domain/chain-suitability";
import type { Logger } from "#platform/logger";
import { BriefMemory } from "./brief-memory.ts";
import { inspectLookupTable } from "./lookup-table.ts";
import type { RpcClient } from "./rpc-client.ts";

/** How long a table that could not be used, or not be read, is left alone. */
const LOOK_AGAIN_MS = 60_000;

/** What the tables of an isolate need. */
export interface LookupTablesOptions {
  readonly umi: Umi;
  readonly rpc: RpcClient;
  readonly readClockMs: () => number;
  /** Is told once a minute of a table that can't be used. */
  readonly logger: Pick<Logger, "warn"> | undefined;
}

/**
 * The address lookup tables that mints may use, each looked at on chain before its first use. A table that passed is frozen: it stays
 * as it was seen, so it is never read again, and no place in it can come to mean another account.
 */
export class LookupTables {
  readonly #options: LookupTablesOptions;
  readonly #usable = new Map<string, AddressLookupTableInput>();
  readonly #looks = new Map<string, BriefMemory<AddressLookupTableInput | undefined>>();

  constructor(options: LookupTablesOptions) {
    this.#options = options;
  }

  /**
   * The table at this address for mints into a tree; undefined when it can't be used, and mints must do without.
   * Never throws: a table saves money, and nobody waits for it.
   */
  async find(address: string, tree: string): Promise<AddressLookupTableInput | undefined> {
    const key = `${address} ${tree}`;
    const usable = this.#usable.get(key);
    if (usable !== undefined) return usable;
    const look = this.#looks.get(key) ?? this.#lookAt(address, tree);
    this.#looks.set(key, look);
    const { value } = await look.read();
    if (value !== undefined) this.#usable.set(key, value);
    return value;
  }

  #lookAt(address: string, tree: string): BriefMemory<AddressLookupTableInput | undefined> {
    const { umi, rpc, readClockMs, logger } = this.#options;
    return new BriefMemory(LOOK_AGAIN_MS, readClockMs, async () => {
      try {
        const found = await inspectLookupTable(umi, rpc, { address, tree, commitment: "finalized" });
        const problems = judgeLookupTable(found, "lookupTableAddress").map(({ message }) => message);
        if (typeof found !== "string" && problems.length === 0) {
          if (!found.isSettled) return undefined;
          return { publicKey: publicKey(address), addresses: found.addresses.map((entry) => publicKey(entry)) };
        }
        logger?.warn("mints do without their lookup table", { lookupTable: address, tree, problems });
      } catch (error) {
        const problem = error instanceof Error ? error.message : "it can't be read";
        logger?.warn("mints do without their lookup table", { lookupTable: address, tree, problems: [problem] });
      }
      return undefined;
    });
  }
}
