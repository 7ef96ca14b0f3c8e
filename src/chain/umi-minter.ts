import { mintV2 } from "@metaplex-foundation/mpl-bubblegum";
import { setComputeUnitLimit, setComputeUnitPrice } from "@metaplex-foundation/mpl-toolbox";
import { publicKey, type TransactionBuilder, type Umi } from "@metaplex-foundation/umi";
import { base58, base64 } from "@metaplex-foundation/umi/serializers";
import type { ChainObservation } from "#domain/mint";
import { collectionPurpose, ensureCollection } from "./ensure-collection.ts";
import { listLeafSchemas, type TransactionAnswer } from "./leaf-events.ts";
import { createLeanUmi } from "./lean-umi.ts";
import type { MintableTicket, MintedLeaf, Minter, SignedMint } from "./minter.ts";
import { createRpcClient, type RpcClient } from "./rpc-client.ts";
import { importWalletSigner } from "./wallet-signer.ts";

/** Where and with what to mint. */
export interface ChainConfig {
  readonly rpcUrl: string;
  /** Base58 of the 64-byte secret key. */
  readonly walletSecretKey: string;
  /** Base58 address of the Bubblegum V2 tree of tenants that have none of their own. */
  readonly treeAddress: string;
  /** Replaces `fetch`, for a circuit breaker or a test. */
  readonly fetcher?: typeof fetch;
}

/** A mint into a collection takes 85,000 to 110,000 units; asking for less than the default of 200,000 makes it cheaper to place. */
const MINT_COMPUTE_UNITS = 140_000;
const PRICE_MICRO_LAMPORTS = 10_000;

interface SignatureStatusesAnswer {
  readonly context: { readonly slot: number };
  readonly value: readonly ({ readonly err: unknown; readonly confirmationStatus: string | null } | null)[];
}

interface BlockhashAnswer {
  readonly value: { readonly blockhash: string; readonly lastValidBlockHeight: number };
}

/**
 * The {@link Minter} on umi and mpl-bubblegum V2, over plain JSON-RPC.
 * @throws Error naming the variable when the wallet key or the tree's address is malformed.
 */
export async function createUmiMinter(config: ChainConfig): Promise<Minter> {
  const wallet = await importWalletSigner(config.walletSecretKey);
  const rpc = createRpcClient(config.rpcUrl, config.fetcher);
  const umi = createLeanUmi(rpc, wallet);
  assertTreeAddress(config.treeAddress);
  /** Collections that were seen on chain, by what they are for; a collection is never deleted. */
  const readyCollections = new Map<string, string>();

  return {
    walletAddress: wallet.publicKey,
    async ensureCollection(event) {
      const key = `${collectionPurpose(event)} ${event.knownAddress ?? ""}`;
      const known = readyCollections.get(key);
      if (known !== undefined) return { address: known, isReady: true };
      const found = await ensureCollection(umi, rpc, event);
      if (found.isReady) readyCollections.set(key, found.address);
      return found;
    },
    signMint: (ticket) => signMint(umi, rpc, ticket),
    sendMint: (wireBase64) => sendAndExcuse(rpc, wireBase64),
    observe: (signature) => observe(rpc, signature),
    findMintedLeaf: (signature) => findMintedLeaf(rpc, signature),
  };
}

function assertTreeAddress(address: string): void {
  try {
    publicKey(address);
  } catch {
    throw new Error("SOLANA_TREE must be a base58 Solana address");
  }
}

function signMint(umi: Umi, rpc: RpcClient, ticket: MintableTicket): Promise<SignedMint> {
  const collection = publicKey(ticket.collectionAddress);
  const mint = mintV2(umi, {
    merkleTree: publicKey(ticket.treeAddress),
    coreCollection: collection,
    leafOwner: ticket.ownerAddress === null ? umi.identity.publicKey : publicKey(ticket.ownerAddress),
    // Royalties are given in full: with a collection, the default of "inherit" is refused (MetadataBasisPointsTooHigh).
    metadata: { name: ticket.name, uri: ticket.uri, sellerFeeBasisPoints: 0, creators: [], collection },
  });
  return sign(umi, rpc, MINT_COMPUTE_UNITS, mint);
}

/** Signs work under the newest blockhash, sending nothing. */
export async function sign(umi: Umi, rpc: RpcClient, computeUnits: number, work: TransactionBuilder): Promise<SignedMint> {
  const { value } = await rpc.call<BlockhashAnswer>("getLatestBlockhash", [{ commitment: "confirmed" }]);
  const transaction = await setComputeUnitLimit(umi, { units: computeUnits })
    .add(setComputeUnitPrice(umi, { microLamports: PRICE_MICRO_LAMPORTS }))
    .add(work)
    .setBlockhash(value.blockhash)
    .buildAndSign(umi);
  const [first] = transaction.signatures;
  if (first === undefined) throw new Error("a built transaction has no signature");
  return {
    signature: base58.deserialize(first)[0],
    wireBase64: base64.deserialize(umi.transactions.serialize(transaction))[0],
    lastValidBlockHeight: value.lastValidBlockHeight,
  };
}

/** Sends; @returns what the node complained of, for the record only. */
export async function sendAndExcuse(rpc: RpcClient, wireBase64: string): Promise<string | null> {
  try {
    await send(rpc, wireBase64);
    return null;
  } catch (error) {
    return error instanceof Error ? error.message : "the node gave no answer";
  }
}

/** `maxRetries: 0`: we send again ourselves, so that nothing is on its way that we have not decided. */
function send(rpc: RpcClient, wireBase64: string): Promise<string> {
  const options = { encoding: "base64", preflightCommitment: "confirmed", maxRetries: 0 };
  return rpc.call<string>("sendTransaction", [wireBase64, options]);
}

/**
 * What the chain says of a signature. The height is read before the status. So when the status is unknown, it is unknown to a node that has seen everything up to
 * that height, which `context.slot` proves: behind one address there may be many nodes, some behind the others.
 */
export async function observe(rpc: RpcClient, signature: string): Promise<ChainObservation> {
  const epoch = await rpc.call<{ absoluteSlot: number; blockHeight: number }>("getEpochInfo", [{ commitment: "finalized" }]);
  const finalizedBlockHeight = epoch.blockHeight;
  const statuses = await rpc.call<SignatureStatusesAnswer>("getSignatureStatuses", [
    [signature],
    { searchTransactionHistory: true },
  ]);
  const status = statuses.value[0];
  if (status === null || status === undefined) {
    const isBehind = statuses.context.slot < epoch.absoluteSlot;
    return { seen: isBehind ? "unclear" : "unknown", finalizedBlockHeight, error: null };
  }
  if (status.confirmationStatus !== "finalized") return { seen: "in_flight", finalizedBlockHeight, error: null };
  if (status.err === null) return { seen: "succeeded", finalizedBlockHeight, error: null };
  return { seen: "failed", finalizedBlockHeight, error: JSON.stringify(status.err) };
}

async function findMintedLeaf(rpc: RpcClient, signature: string): Promise<MintedLeaf | undefined> {
  const answer = await rpc.call<TransactionAnswer | null>("getTransaction", [
    signature,
    { commitment: "finalized", encoding: "json", maxSupportedTransactionVersion: 0 },
  ]);
  if (answer === null) return undefined;
  const leaves = listLeafSchemas(answer);
  const [leaf] = leaves;
  if (leaves.length !== 1 || leaf?.__kind !== "V2") throw new Error("a mint transaction must write exactly one V2 leaf");
  return { assetId: leaf.id, leafIndex: Number(leaf.nonce) };
}
