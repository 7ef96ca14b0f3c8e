import { burnV2, transferV2 } from "@metaplex-foundation/mpl-bubblegum";
import { setComputeUnitLimit, setComputeUnitPrice } from "@metaplex-foundation/mpl-toolbox";
import { publicKey, type TransactionBuilder } from "@metaplex-foundation/umi";
import type { ChainObservation } from "#domain/mint";
import type { LeafProof } from "#domain/tree-changes";
import { readClockMs as readWallClockMs } from "#platform/clock";
import type { ChainConfig } from "./chain-config.ts";
import { createDasSource, type DasSource } from "./das-source.ts";
import { DEFAULT_PRIORITY_FEE_CAP, FeeBids } from "./fee-bids.ts";
import { createLeanUmi } from "./lean-umi.ts";
import { observeSignatures, type SubmittedTransaction } from "./observe-signatures.ts";
import { PayerWatch } from "./payer-watch.ts";
import { createRpcClient } from "./rpc-client.ts";
import { sendTransaction } from "./send-transaction.ts";
import { readBlockhash, signTransaction, type SignedTransaction } from "./sign-transaction.ts";
import { createTreeSource, type TreeSource } from "./tree-source.ts";
import { importWalletSigner } from "./wallet-signer.ts";

/**
 * Moves and burns assets as the permanent delegate of their collection, without their owner's signature. Steps that can each be
 * repeated, as those of the minter; only {@link AssetMover.observe} says what happened.
 */
export interface AssetMover {
  /** Base58 address of the service's wallet, which has the assets in custody. */
  readonly walletAddress: string;
  /** False while the wallet is below its floor: then nothing is to be signed. @throws when no node can be reached. */
  isFunded(): Promise<boolean>;
  /**
   * Signs a transfer to `toAddress` under the newest blockhash, sending nothing.
   * @param attempts transactions signed for it in vain; more is bid after each.
   */
  signMove(asset: ProvenAsset, toAddress: string, attempts: number): Promise<SignedTransaction>;
  signBurn(asset: ProvenAsset, attempts: number): Promise<SignedTransaction>;
  /** @returns what the node complained of, for the record only: a refused or lost answer proves nothing. */
  send(wireBase64: string): Promise<string | null>;
  observe(submitted: SubmittedTransaction): Promise<ChainObservation>;
}

/** An asset as it is on chain. The collection's address is given, because a leaf has only its hash. */
export interface ProvenAsset {
  readonly proof: LeafProof;
  readonly collectionAddress: string;
}

/** What works on assets: the mover, the trees that it needs proofs of, and the nodes' own indexes where they have any. */
export interface AssetChain {
  readonly mover: AssetMover;
  readonly trees: TreeSource;
  readonly das: DasSource;
}

/** A transfer takes 85,000 units and a burn 92,000 in a tree of depth 14 with a canopy of 8; each further node of the proof takes some more. */
const COMPUTE_UNITS = 200_000;

/** An index fails apart from its node, so it has breakers of its own; and people wait for what it says. */
const DAS_BREAKERS = ["solana-das", "solana-das-2", "solana-das-3"] as const;
const DAS_TIMEOUT_MS = 3_000;

/** The base fee of the one signature and the protocol's of a transfer; a burn has none of the latter. */
const TRANSFER_LAMPORTS = 11_000;

/** The {@link AssetChain} on umi and mpl-bubblegum V2, over plain JSON-RPC. */
export async function createAssetChain(config: Omit<ChainConfig, "treeAddress">): Promise<AssetChain> {
  const wallet = await importWalletSigner(config.walletSecretKey);
  const { fetcher, breakers, readClockMs = readWallClockMs, payerFloorLamports = 0 } = config;
  const { priorityFeeCapMicroLamports = DEFAULT_PRIORITY_FEE_CAP } = config;
  const rpc = createRpcClient(config.rpcUrl, { fetcher, breakers });
  const indexes = createRpcClient(config.rpcUrl, {
    fetcher,
    breakers,
    timeoutMs: DAS_TIMEOUT_MS,
    breakerNames: DAS_BREAKERS,
  });
  const umi = createLeanUmi(rpc, wallet);
  const payer = new PayerWatch(rpc, wallet.publicKey, payerFloorLamports, readClockMs);
  const bids = new FeeBids(rpc, priorityFeeCapMicroLamports, readClockMs);
  const sign = async (asset: ProvenAsset, attempts: number, change: TransactionBuilder): Promise<SignedTransaction> => {
    const work = setComputeUnitLimit(umi, { units: COMPUTE_UNITS })
      .add(setComputeUnitPrice(umi, { microLamports: await bids.bidFor(asset.proof.tree, attempts) }))
      .add(change);
    payer.noteSpent(TRANSFER_LAMPORTS);
    return signTransaction(umi, work, await readBlockhash(rpc));
  };
  return {
    trees: createTreeSource(rpc),
    das: createDasSource(indexes.nodes, readClockMs),
    mover: {
      walletAddress: wallet.publicKey,
      isFunded: () => payer.isFunded(),
      signMove: (asset, toAddress, attempts) =>
        sign(asset, attempts, transferV2(umi, { ...describeLeaf(asset), newLeafOwner: publicKey(toAddress) })),
      signBurn: (asset, attempts) => sign(asset, attempts, burnV2(umi, describeLeaf(asset))),
      send: (wireBase64) => sendTransaction(rpc, wireBase64),
      async observe(submitted) {
        const observation = (await observeSignatures(rpc, [submitted])).get(submitted.signature);
        return observation ?? { seen: "unclear", finalizedBlockHeight: 0, error: null };
      },
    },
  };
}

/** The program hashes these to the leaf again. Nodes of the canopy are left out, so that the transaction stays small. */
function describeLeaf({ proof: { tree, canopyDepth, leaf, root, proof }, collectionAddress }: ProvenAsset) {
  return {
    merkleTree: publicKey(tree),
    coreCollection: publicKey(collectionAddress),
    leafOwner: publicKey(leaf.ownerAddress),
    leafDelegate: publicKey(leaf.delegateAddress),
    root,
    dataHash: leaf.dataHash,
    creatorHash: leaf.creatorHash,
    assetDataHash: leaf.assetDataHash,
    flags: leaf.flags,
    nonce: leaf.leafIndex,
    index: leaf.leafIndex,
    proof: proof.slice(0, proof.length - canopyDepth).map((node) => publicKey(node)),
  };
}
