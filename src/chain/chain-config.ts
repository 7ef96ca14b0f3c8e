import type { TransactionVersion } from "#domain/mint-batches";
import type { CircuitBreakers } from "#platform/circuit-breakers";
import type { Logger } from "#platform/logger";

/** Where and with what to mint. */
export interface ChainConfig {
  /** One address, or several with commas between them, the preferred one first. */
  readonly rpcUrl: string;
  /** Base58 of the 64-byte secret key. */
  readonly walletSecretKey: string;
  /** Base58 address of the Bubblegum V2 tree of tenants that have none of their own. */
  readonly treeAddress: string;
  /** Base58 address of that tree's lookup table; left out, its mints do without. */
  readonly lookupTableAddress?: string | undefined;
  /** With less in the wallet nothing is signed; 0 when left out. */
  readonly payerFloorLamports?: number;
  /** Highest bid for a compute unit; `DEFAULT_PRIORITY_FEE_CAP` when left out. */
  readonly priorityFeeCapMicroLamports?: number;
  /** Version 1 puts more mints into a transaction, where the cluster takes it; 0 when left out. */
  readonly transactionVersion?: TransactionVersion;
  /** The isolate's, one for each node. */
  readonly breakers?: CircuitBreakers;
  /** Is told what an operator may want to put right. */
  readonly logger?: Pick<Logger, "warn">;
  /** Replaces `fetch`, for a test. */
  readonly fetcher?: typeof fetch;
  /** Replaces the wall clock, for a test whose slots take no time. */
  readonly readClockMs?: () => number;
}
