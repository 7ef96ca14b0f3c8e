/** Solana's clusters, as messages to be signed and explorers name them. */
export const SOLANA_CLUSTERS = ["mainnet", "devnet", "testnet", "localnet"] as const;
export type SolanaCluster = (typeof SOLANA_CLUSTERS)[number];

const EXPLORER_QUERY: Readonly<Record<SolanaCluster, string>> = {
  mainnet: "",
  devnet: "?cluster=devnet",
  testnet: "?cluster=testnet",
  // The explorer then asks the node that its reader names.
  localnet: "?cluster=custom",
};

/** The page of Solana's own explorer that shows a transaction. @param signature in base58. */
export function explorerUrlOf(signature: string, cluster: SolanaCluster): string {
  return `https://explorer.solana.com/tx/${signature}${EXPLORER_QUERY[cluster]}`;
}
