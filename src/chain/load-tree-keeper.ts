import type { TreeKeeper } from "./tree-keeper.ts";
import type { ChainConfig } from "./umi-minter.ts";

let loaded: { readonly config: ChainConfig; readonly keeper: TreeKeeper } | undefined;

/** The tree keeper, made once per isolate for a configuration and loaded on first use: see `loadMinter`, which does the same. */
export async function loadTreeKeeper(config: ChainConfig): Promise<TreeKeeper> {
  if (
    loaded?.config.rpcUrl === config.rpcUrl &&
    loaded.config.walletSecretKey === config.walletSecretKey &&
    loaded.config.treeAddress === config.treeAddress &&
    loaded.config.lookupTableAddress === config.lookupTableAddress &&
    loaded.config.breakers === config.breakers &&
    loaded.config.fetcher === config.fetcher
  ) {
    return loaded.keeper;
  }
  const { createUmiTreeKeeper } = await import("./umi-tree-keeper.ts");
  const keeper = await createUmiTreeKeeper(config);
  loaded = { config, keeper };
  return keeper;
}
