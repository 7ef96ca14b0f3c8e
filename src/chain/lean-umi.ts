import { mplBubblegum } from "@metaplex-foundation/mpl-bubblegum";
import { createBaseUmi, lamports, signerIdentity, type Signer, type Umi } from "@metaplex-foundation/umi";
import { defaultProgramRepository } from "@metaplex-foundation/umi-program-repository";
import { transactionFactory } from "./compile-message.ts";
import { ed25519Operations } from "./ed25519.ts";
import type { RpcClient } from "./rpc-client.ts";

/**
 * A umi that can build and sign, and nothing more: sending and confirming are ours (a umi confirmation would wait on a
 * WebSocket). Without @solana/web3.js the Worker is some 120 KiB gzip smaller and starts faster.
 * @param identity pays and signs.
 */
export function createLeanUmi(rpc: Pick<RpcClient, "url" | "call">, identity: Signer): Umi {
  const umi = createBaseUmi().use(defaultProgramRepository());
  umi.eddsa = ed25519Operations;
  umi.transactions = transactionFactory;
  umi.rpc = {
    ...umi.rpc,
    getEndpoint: () => rpc.url,
    getCluster: () => "custom",
    getRent: async (byteCount) => lamports(await rpc.call<number>("getMinimumBalanceForRentExemption", [byteCount])),
  };
  return umi.use(signerIdentity(identity)).use(mplBubblegum());
}
