import type { Minter } from "./minter.ts";
import type { ChainConfig } from "./umi-minter.ts";

interface LoadedMinter {
  readonly key: string;
  readonly minter: Promise<Minter>;
}

let loaded: LoadedMinter | undefined;

/**
 * The minter, made once per isolate. The chain libraries are the larger half of the bundle and only the mint consumer needs
 * them, so they are evaluated here on first use and not at start-up: the sale path never pays for them.
 */
export function loadMinter(config: ChainConfig): Promise<Minter> {
  const key = [config.rpcUrl, config.treeAddress, config.walletSecretKey].join(" ");
  if (loaded?.key !== key) {
    const minter = import("./umi-minter.ts").then((module) => module.createUmiMinter(config));
    const entry = { key, minter };
    loaded = entry;
    minter.catch(() => {
      // A failed load must not stay: the next message tries again.
      if (loaded === entry) loaded = undefined;
    });
  }
  return loaded.minter;
}
