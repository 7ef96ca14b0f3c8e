/** Solana's clusters, as messages to be signed and explorers name them. */
export const SOLANA_CLUSTERS = ["mainnet", "devnet", "testnet", "localnet"] as const;
export type SolanaCluster = (typeof SOLANA_CLUSTERS)[number];

/** A cluster as links to its explorer name it. */
export interface ExplorerSite {
  readonly solanaCluster: SolanaCluster;
  /** Of the node that the explorer is to ask, on a local chain; null everywhere else. */
  readonly localNodeOrigin: string | null;
}

/**
 * The node whose origin may be shown to anyone: that of a local chain. The address of any other may carry its caller's key, so nothing
 * of it is handed on; and of a local one no more than scheme, host and port.
 * @param rpcUrls one address, or several with commas between them.
 */
export function findLocalNodeOrigin(rpcUrls: string, cluster: SolanaCluster): string | null {
  return cluster === "localnet" ? new URL(rpcUrls.split(",")[0] ?? "").origin : null;
}

const EXPLORER_QUERY: Readonly<Record<SolanaCluster, string>> = {
  mainnet: "",
  devnet: "?cluster=devnet",
  testnet: "?cluster=testnet",
  localnet: "?cluster=custom",
};

/** The page of Solana's own explorer that shows a transaction. @param signature in base58. */
export function explorerUrlOf(signature: string, { solanaCluster, localNodeOrigin }: ExplorerSite): string {
  const node = localNodeOrigin === null ? "" : `&customUrl=${encodeURIComponent(localNodeOrigin)}`;
  return `https://explorer.solana.com/tx/${signature}${EXPLORER_QUERY[solanaCluster]}${node}`;
}
