import { describe, expect, it } from "vitest";
import { SOLANA_CLUSTERS, explorerUrlOf, findLocalNodeOrigin } from "#domain/solana-cluster";

const WITH_KEYS = "https://me:secret@rpc.example:8443/v2/secret?api-key=secret,https://other.example/secret";

function linkOf(cluster: (typeof SOLANA_CLUSTERS)[number], rpcUrls: string): string {
  return explorerUrlOf("5sig", { solanaCluster: cluster, localNodeOrigin: findLocalNodeOrigin(rpcUrls, cluster) });
}

describe("a link to the explorer", () => {
  it.each([
    ["mainnet", ""],
    ["devnet", "?cluster=devnet"],
    ["testnet", "?cluster=testnet"],
  ] as const)("names %s, and nothing of the node", (cluster, query) => {
    expect(linkOf(cluster, WITH_KEYS)).toBe(`https://explorer.solana.com/tx/5sig${query}`);
  });

  it("leads to the local chain", () => {
    const link = new URL(linkOf("localnet", "http://127.0.0.1:8789"));
    expect(Object.fromEntries(link.searchParams)).toEqual({ cluster: "custom", customUrl: "http://127.0.0.1:8789" });
  });

  it.each(SOLANA_CLUSTERS)("shows no key on %s, wherever in the address it is", (cluster) => {
    expect(linkOf(cluster, WITH_KEYS)).not.toContain("secret");
  });
});
