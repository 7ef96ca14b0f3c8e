import { publicKey, type Umi } from "@metaplex-foundation/umi";
import { decideVersion, type TransactionVersion } from "#domain/mint-batches";
import { readClockMs as readWallClockMs } from "#platform/clock";
import { BriefMemory } from "./brief-memory.ts";
import type { ChainConfig } from "./chain-config.ts";
import { collectionPurpose, ensureCollection } from "./ensure-collection.ts";
import { DEFAULT_PRIORITY_FEE_CAP, FeeBids } from "./fee-bids.ts";
import { createLeanUmi } from "./lean-umi.ts";
import { LookupTables } from "./lookup-tables.ts";
import { listMintedLeaves } from "./minted-leaves.ts";
import type { MintBatch, Minter, SigningResult } from "./minter.ts";
import { observeSignatures } from "./observe-signatures.ts";
import { PayerWatch } from "./payer-watch.ts";
import { readTransaction } from "./read-transaction.ts";
import { createRpcClient, type RpcClient } from "./rpc-client.ts";
import { sendTransaction } from "./send-transaction.ts";
import { signMints } from "./sign-mints.ts";
import { readBlockhash, SIGNATURE_LAMPORTS, type Blockhash } from "./sign-transaction.ts";
import { Version1 } from "./version-1.ts";
import { importWalletSigner } from "./wallet-signer.ts";

/** A blockhash lives for a minute or so; an older one would only shorten the time in which its transaction can land. */
const BLOCKHASH_REUSE_MS = 4_000;
/** The protocol's fee for each mint. */
const MINT_LAMPORTS = 90_000;

/** What a minter's steps share. */
interface Bench {
  readonly umi: Umi;
  readonly payer: PayerWatch;
  readonly blockhash: BriefMemory<Blockhash>;
  readonly bids: FeeBids;
  readonly lookupTables: LookupTables;
  readonly wantedVersion: TransactionVersion;
  readonly version1: Version1;
}

/**
 * The {@link Minter} on umi and mpl-bubblegum V2, over plain JSON-RPC.
 * @throws Error naming the variable when the wallet key or the tree's address is malformed.
 */
export async function createUmiMinter(config: ChainConfig): Promise<Minter> {
  const wallet = await importWalletSigner(config.walletSecretKey);
  assertTreeAddress(config.treeAddress);
  const { fetcher, breakers } = config;
  const rpc = createRpcClient(config.rpcUrl, { fetcher, breakers });
  const bench = createBench(config, rpc, createLeanUmi(rpc, wallet));
  /** Collections that were seen on chain, by what they are for; a collection is never deleted. */
  const readyCollections = new Map<string, string>();

  return {
    walletAddress: wallet.publicKey,
    get transactionVersion() {
      return currentVersion(bench);
    },
    isFunded: () => bench.payer.isFunded(),
    async ensureCollection(event) {
      const key = `${collectionPurpose(event)} ${event.knownAddress ?? ""}`;
      const known = readyCollections.get(key);
      if (known !== undefined) return { address: known, isReady: true };
      const found = await ensureCollection(bench.umi, rpc, event);
      if (found.isReady) readyCollections.set(key, found.address);
      return found;
    },
    signMints: (batch) => signBatch(bench, batch),
    async sendMints(wireBase64) {
      const complaint = await sendTransaction(rpc, wireBase64);
      if (complaint !== null) bench.version1.noteComplaint(wireBase64, complaint);
      return complaint;
    },
    observe: (submitted) => observeSignatures(rpc, submitted),
    async findMintedLeaves(signature) {
      const answer = await readTransaction(rpc, signature);
      return answer === null ? undefined : listMintedLeaves(answer);
    },
  };
}

function createBench(config: ChainConfig, rpc: RpcClient, umi: Umi): Bench {
  const { readClockMs = readWallClockMs, payerFloorLamports = 0 } = config;
  const { priorityFeeCapMicroLamports = DEFAULT_PRIORITY_FEE_CAP } = config;
  return {
    umi,
    payer: new PayerWatch(rpc, umi.identity.publicKey, payerFloorLamports, readClockMs),
    blockhash: new BriefMemory(BLOCKHASH_REUSE_MS, readClockMs, () => readBlockhash(rpc)),
    bids: new FeeBids(rpc, priorityFeeCapMicroLamports, readClockMs),
    lookupTables: new LookupTables({ umi, rpc, readClockMs, logger: config.logger }),
    wantedVersion: config.transactionVersion ?? 0,
    version1: new Version1(rpc, config.logger),
  };
}

function assertTreeAddress(address: string): void {
  try {
    publicKey(address);
  } catch {
    throw new Error("SOLANA_TREE must be a base58 Solana address");
  }
}

function currentVersion({ wantedVersion, version1 }: Pick<Bench, "wantedVersion" | "version1">): TransactionVersion {
  return version1.isRefused ? 0 : wantedVersion;
}

async function signBatch(bench: Bench, batch: MintBatch): Promise<SigningResult> {
  const version = decideVersion(batch.attempts, currentVersion(bench));
  let result = await signInVersion(bench, batch, version);
  if (version === 1 && result.signed !== null && !(await bench.version1.isTaken(result.signed.wireBase64))) {
    result = await signInVersion(bench, batch, 0);
  }
  if (result.signed !== null) bench.payer.noteSpent(SIGNATURE_LAMPORTS + result.ticketIds.length * MINT_LAMPORTS);
  return result;
}

async function signInVersion(bench: Bench, batch: MintBatch, version: TransactionVersion): Promise<SigningResult> {
  const { lookupTableAddress = null, treeAddress, attempts } = batch;
  const { value: blockhash } = await bench.blockhash.read();
  const priceMicroLamports = await bench.bids.bidFor(treeAddress, attempts);
  const isLookedUp = version === 0 && lookupTableAddress !== null;
  const lookupTable = isLookedUp ? await bench.lookupTables.find(lookupTableAddress, treeAddress) : undefined;
  return signMints(bench.umi, batch, { blockhash, priceMicroLamports, lookupTable, version });
}
