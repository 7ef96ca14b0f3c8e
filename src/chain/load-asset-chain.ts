import type { AssetChain } from "./asset-mover.ts";
import type { ChainConfig } from "./umi-minter.ts";

type AssetChainConfig = Omit<ChainConfig, "treeAddress">;

let loaded: { readonly config: AssetChainConfig; readonly chain: AssetChain } | undefined;

/**
 * What works on assets, made once per isolate for a configuration; the chain libraries are evaluated on its first use. What is kept
 * is the thing itself and not the promise of it, for the reason that `loadMinter` gives.
 */
export async function loadAssetChain(config: AssetChainConfig): Promise<AssetChain> {
  const isSame = loaded?.config.rpcUrl === config.rpcUrl && loaded.config.walletSecretKey === config.walletSecretKey;
  if (loaded !== undefined && isSame) return loaded.chain;
  const { createAssetChain } = await import("./asset-mover.ts");
  const chain = await createAssetChain(config);
  loaded = { config, chain };
  return chain;
}
