import { mintV2 } from "@metaplex-foundation/mpl-bubblegum";
import { publicKey, some, transactionBuilder, type Umi } from "@metaplex-foundation/umi";
import { base64 } from "@metaplex-foundation/umi/serializers";
import { createLeanUmi } from "#chain/lean-umi";
import { createRpcClient, type RpcClient } from "#chain/rpc-client";
import { setupFeeLamports } from "#chain/send-setup";
import { importWalletSigner } from "#chain/wallet-signer";
import { decideComputeUnits } from "#domain/mint-batches";
import { countTreeBytes, type TreeShape } from "#domain/tree-shape";
import { findProgramsDir } from "../localnet/program-files.ts";
import { startLocalnet, type Localnet } from "../localnet/start-localnet.ts";
import { generateSolanaWallet } from "../secrets.ts";
import { openOwner } from "./owner.ts";
import { provisionCollection, provisionTree } from "./provision-accounts.ts";
import { LOOKUP_TABLE_BYTES } from "./setup-costs.ts";

/** What mints into trees of one shape cost. */
export interface MeasuredShape {
  readonly shape: TreeShape;
  readonly bytes: number;
  readonly rentLamports: number;
  /** Lamports that left the minting wallet for one ticket, by how many were minted in one transaction. */
  readonly lamportsByBatch: ReadonlyMap<number, number>;
}

/** All that was measured, and on what. */
export interface MeasuredCosts {
  readonly mode: Localnet["mode"];
  /** True when the rent is the local chain's own. */
  readonly isLocalRent: boolean;
  /** Rent of a tree's lookup table, and the fee of the transaction that makes it. */
  readonly lookupTableLamports: number;
  readonly shapes: readonly MeasuredShape[];
}

const PLENTY_LAMPORTS = 100_000_000_000;
/** Five fit into a transaction of version 0, with short texts without a lookup table too; ten take version 1. */
const BATCH_SIZES = [1, 2, 3, 4, 5, 10];
const MOST_IN_VERSION_0 = 5;
const NAME = "Night of Lamps";
const TICKET = "00000000-0000-4000-8000-000000000000";

/**
 * Mints tickets into a tree of each shape, in transactions of one to ten, and counts what left the minting wallet. No priority
 * fee is bid.
 * @param cluster whose rent counts; left out, the local chain's.
 */
export async function measureMintCosts(shapes: readonly TreeShape[], cluster?: RpcClient): Promise<MeasuredCosts> {
  const localnet = await startLocalnet({ port: 0, slotMs: 0, programsDir: findProgramsDir() });
  try {
    const wallet = await importWalletSigner(generateSolanaWallet());
    const owner = openOwner(localnet.url, await importWalletSigner(generateSolanaWallet()));
    const rpc = createRpcClient(localnet.url);
    for (const key of [wallet.publicKey, owner.signer.publicKey]) await rpc.call("requestAirdrop", [key, PLENTY_LAMPORTS]);
    const umi = createLeanUmi(rpc, wallet);
    const minterAddress = wallet.publicKey;
    const collection = await provisionCollection(owner, { purpose: "c", name: NAME, uri: uriOf(0), minterAddress });
    const measured: MeasuredShape[] = [];
    for (const shape of shapes) {
      const tree = await provisionTree(owner, { purpose: JSON.stringify(shape), shape, minterAddress });
      const lamportsByBatch = new Map<number, number>();
      for (const size of BATCH_SIZES) {
        const spent = await mintBatch(umi, rpc, { tree: tree.address, collection: collection.address, size });
        lamportsByBatch.set(size, spent / size);
      }
      const bytes = countTreeBytes(shape);
      const rentLamports = await (cluster ?? rpc).call<number>("getMinimumBalanceForRentExemption", [bytes]);
      measured.push({ shape, bytes, rentLamports, lamportsByBatch });
    }
    const tableRent = await (cluster ?? rpc).call<number>("getMinimumBalanceForRentExemption", [LOOKUP_TABLE_BYTES]);
    const lookupTableLamports = tableRent + setupFeeLamports(2);
    return { mode: localnet.mode, isLocalRent: cluster === undefined, lookupTableLamports, shapes: measured };
  } finally {
    await localnet.close();
  }
}

/** @returns the lamports that the wallet had before and has no more. */
async function mintBatch(
  umi: Umi,
  rpc: RpcClient,
  { tree, collection, size }: { readonly tree: string; readonly collection: string; readonly size: number },
): Promise<number> {
  const coreCollection = publicKey(collection);
  const balance = async (): Promise<number> =>
    (await rpc.call<{ value: number }>("getBalance", [umi.identity.publicKey])).value;
  let work = transactionBuilder();
  if (size > MOST_IN_VERSION_0) work = work.useV1().setTransactionConfig({ computeUnitLimit: decideComputeUnits(size) });
  for (let number = 0; number < size; number += 1) {
    const metadata = {
      name: NAME,
      uri: uriOf(number),
      sellerFeeBasisPoints: 0,
      creators: [],
      collection: some(coreCollection),
    };
    work = work.add(mintV2(umi, { merkleTree: publicKey(tree), coreCollection, leafOwner: umi.identity.publicKey, metadata }));
  }
  const { value } = await rpc.call<{ value: { blockhash: string } }>("getLatestBlockhash", []);
  const transaction = await work.setBlockhash(value.blockhash).buildAndSign(umi);
  const before = await balance();
  const [wire] = base64.deserialize(umi.transactions.serialize(transaction));
  await rpc.call("sendTransaction", [wire, { encoding: "base64" }]);
  return before - (await balance());
}

function uriOf(number: number): string {
  return `https://t.example/nft/${TICKET.slice(0, -1)}${number}`;
}
