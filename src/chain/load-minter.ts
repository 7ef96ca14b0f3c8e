import type { Minter } from "./minter.ts";
import type { ChainConfig } from "./umi-minter.ts";

let loaded: { readonly config: ChainConfig; readonly minter: Minter } | undefined;

/**
 * The minter, made once per isolate for a configuration. The chain libraries are the larger half of the bundle and only the mint
 * consumer needs them, so they are evaluated here on first use and not at start-up: the sale path never pays for them.
 *
 * What is kept is the minter, not the promise of one: in Workers a promise belongs to the request that made it, and another
 * that waits for it would wait for ever if that request were cancelled. Two first requests may both load; that costs only time.
 */
export async function loadMinter(config: ChainConfig): Promise<Minter> {
  if (loaded !== undefined && isSameConfig(loaded.config, config)) return loaded.minter;
  const { createUmiMinter } = await import("./umi-minter.ts");
  const minter = await createUmiMinter(config);
  loaded = { config, minter };
  return minter;
}

function isSameConfig(one: ChainConfig, other: ChainConfig): boolean {
  return (
    one.rpcUrl === other.rpcUrl &&
    one.treeAddress === other.treeAddress &&
    one.walletSecretKey === other.walletSecretKey &&
    one.payerFloorLamports === other.payerFloorLamports &&
    one.priorityFeeCapMicroLamports === other.priorityFeeCapMicroLamports &&
    one.transactionVersion === other.transactionVersion &&
    one.breakers === other.breakers &&
    one.fetcher === other.fetcher
  );
}
