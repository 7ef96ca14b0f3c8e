import type { DrizzleD1Database } from "drizzle-orm/d1";
import type { Minter } from "#chain/minter";
import type { TreeKeeper } from "#chain/tree-keeper";
import type { Logger } from "#platform/logger";

/** What minting may reach. */
export interface MintContext {
  readonly db: DrizzleD1Database;
  readonly minter: Minter;
  readonly treeKeeper: TreeKeeper;
  /** Origin under which this service is reached from outside, without a slash at its end. */
  readonly publicBaseUrl: string;
  /** Unix milliseconds. */
  readonly nowMs: number;
  readonly logger: Logger;
}
