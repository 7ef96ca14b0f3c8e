import type { AssetChain } from "./asset-mover.ts";
import type { ChainConfig } from "./chain-config.ts";
import type { Minter } from "./minter.ts";
import type { TreeKeeper } from "./tree-keeper.ts";

/**
 * What works on chain, each made once per isolate for a configuration. The chain libraries are the larger half of the bundle, so they
 * are evaluated on first use and not at start-up: the sale path never pays for them.
 */
export const loadMinter = makeOnce<Minter>(async (config) => (await import("./umi-minter.ts")).createUmiMinter(config));

/** See {@link loadMinter}. */
export const loadTreeKeeper = makeOnce<TreeKeeper>(async (config) =>
  (await import("./umi-tree-keeper.ts")).createUmiTreeKeeper(config),
);

/** See {@link loadMinter}. */
export const loadAssetChain = makeOnce<AssetChain>(async (config) =>
  (await import("./asset-mover.ts")).createAssetChain(config),
);

/**
 * What is kept is the thing made, not the promise of it: in Workers a promise belongs to the request that made it, and another that
 * waits for it would wait for ever if that request were cancelled. Two first requests may both make one; that costs only time.
 */
function makeOnce<Thing>(make: (config: ChainConfig) => Promise<Thing>): (config: ChainConfig) => Promise<Thing> {
  let made: { readonly config: ChainConfig; readonly thing: Thing } | undefined;
  return async (config) => {
    if (made !== undefined && isSameConfig(made.config, config)) return made.thing;
    const thing = await make(config);
    made = { config, thing };
    return thing;
  };
}

/** Loggers of one name are alike, so they are not compared. */
function isSameConfig({ logger: _one, ...config }: ChainConfig, { logger: _other, ...other }: ChainConfig): boolean {
  const parts = new Map<string, unknown>(Object.entries(other));
  return parts.size === Object.keys(config).length && Object.entries(config).every(([name, part]) => parts.get(name) === part);
}
