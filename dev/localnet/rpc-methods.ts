import { address } from "@solana/kit";
import { decodeWire, type Cluster, type StoredAccount } from "./cluster.ts";
import { createDasMethods } from "./das-methods.ts";
import type { Outcome } from "./executor.ts";
import type { FaultDice, Faults } from "./faults.ts";
import { NodeView } from "./node-view.ts";
import { presentTransaction } from "./present-transaction.ts";
import { RpcRefusal, type RpcMethod } from "./rpc-refusal.ts";
import type { DecodedTransaction } from "./transaction-encoding.ts";

interface Config {
  readonly commitment?: string;
  readonly encoding?: string;
  readonly skipPreflight?: boolean;
  readonly searchTransactionHistory?: boolean;
  readonly dataSlice?: { readonly offset: number; readonly length: number };
  readonly limit?: number;
  readonly before?: string;
  readonly until?: string;
  readonly maxSupportedTransactionVersion?: number;
}

/** Statuses older than this many slots are found only when the history is searched, as on a real node. */
const STATUS_CACHE_SLOTS = 150;
/** Most bytes of a transaction, and of one whose message has version 1. */
const MAX_WIRE_BYTES = 1_232;
const MAX_WIRE_BYTES_V1 = 4_096;
const SLOTS_AN_EPOCH = 432_000;
const LAMPORTS_PER_SIGNATURE = 5_000;
const DEFAULT_SIGNATURE_LIMIT = 1_000;
const INVALID_PARAMS = -32_602;
const BLOCK_NOT_AVAILABLE = -32_004;
const PREFLIGHT_FAILED = -32_002;
const SIGNATURE_FAILED = -32_003;
const VERSION_NOT_ASKED_FOR = -32_015;

/** The JSON-RPC methods of a node, by name, and `localnet_…` for what only a local chain can do. */
export function createRpcMethods(cluster: Cluster, faults: Faults, dice: FaultDice): Readonly<Record<string, RpcMethod>> {
  const node = new NodeView(cluster, faults);
  const withContext = <T>(value: T): unknown => ({ context: { slot: node.slotAt(), apiVersion: "2.3.0" }, value });
  return {
    ...createChainMethods(cluster, node, withContext),
    ...createAccountMethods(cluster, withContext),
    ...createTransactionMethods({ cluster, node, faults, dice }, withContext),
    ...createDasMethods(cluster, node, faults),
    getRecentPrioritizationFees: () => [{ slot: node.slotAt(), prioritizationFee: faults.priorityFee }],
    localnet_tick: ([count]: readonly [number]) => {
      cluster.tick(count);
      return cluster.slotAt("processed");
    },
    localnet_faults: ([change]: readonly [Partial<Faults>]) => Object.assign(faults, change),
    localnet_setAccount: ([key, { lamports, base64 }]: readonly [string, { lamports?: number; base64?: string }]) => {
      const bytes = base64 === undefined ? {} : { bytes: new Uint8Array(Buffer.from(base64, "base64")) };
      cluster.changeAccount(key, { ...(lamports === undefined ? {} : { lamports }), ...bytes });
      return true;
    },
    localnet_mode: () => cluster.executor.mode,
  };
}

type WithContext = <T>(value: T) => unknown;

/** A node as the methods about transactions see it. */
interface TransactionNode {
  readonly cluster: Cluster;
  readonly node: NodeView;
  readonly faults: Faults;
  readonly dice: FaultDice;
}

function createChainMethods(cluster: Cluster, node: NodeView, withContext: WithContext): Record<string, RpcMethod> {
  return {
    getHealth: () => "ok",
    getVersion: () => ({ "solana-core": "2.3.0", "feature-set": 1 }),
    getGenesisHash: () => "11111111111111111111111111111112",
    getSlot: ([config]: readonly [Config?]) => node.slotAt(config?.commitment),
    getBlockHeight: ([config]: readonly [Config?]) => node.heightAt(config?.commitment),
    getFirstAvailableBlock: () => node.listBlocks(0, 1)[0] ?? 0,
    getBlocksWithLimit: ([startSlot, limit]: readonly [number, number]) => node.listBlocks(startSlot, limit),
    // Only what tells which blocks the node has.
    getBlock: ([slot]: readonly [number]) => {
      const blockHeight = node.heightOf(slot);
      if (blockHeight === undefined) throw new RpcRefusal(BLOCK_NOT_AVAILABLE, `Block not available for slot ${slot}`);
      return { blockHeight };
    },
    getEpochInfo: ([config]: readonly [Config?]) => ({
      absoluteSlot: node.slotAt(config?.commitment),
      blockHeight: node.heightAt(config?.commitment),
      epoch: 0,
      slotIndex: node.slotAt(config?.commitment),
      slotsInEpoch: SLOTS_AN_EPOCH,
      transactionCount: cluster.countTransactions(),
    }),
    getEpochSchedule: () => ({
      slotsPerEpoch: SLOTS_AN_EPOCH,
      leaderScheduleSlotOffset: SLOTS_AN_EPOCH,
      warmup: false,
      firstNormalEpoch: 0,
      firstNormalSlot: 0,
    }),
    getBlockTime: ([slot]: readonly [number]) =>
      cluster.listEntriesAfter(0).find((entry) => entry.slot === slot)?.blockTimeSeconds ?? null,
    getLatestBlockhash: () => withContext(node.latestBlockhash()),
    isBlockhashValid: ([blockhash]: readonly [string]) => withContext(node.isBlockhashValid(blockhash)),
  };
}

function createAccountMethods(cluster: Cluster, withContext: WithContext): Record<string, RpcMethod> {
  const show = (key: string, config?: Config): unknown => presentAccount(cluster.findAccount(key), config);
  return {
    getBalance: ([key]: readonly [string]) => withContext(cluster.balanceOf(key)),
    getMinimumBalanceForRentExemption: ([byteCount]: readonly [number]) =>
      Number(cluster.executor.svm.minimumBalanceForRentExemption(BigInt(byteCount))),
    getAccountInfo: ([key, config]: readonly [string, Config?]) => withContext(show(key, config)),
    getMultipleAccounts: ([keys, config]: readonly [readonly string[], Config?]) =>
      withContext(keys.map((key) => show(key, config))),
    getProgramAccounts: ([program]: readonly [string]) =>
      cluster.executor.svm
        .getProgramAccounts(address(program))
        .map((account) => ({ pubkey: account.address, account: show(account.address) })),
    requestAirdrop: ([key, lamportCount]: readonly [string, number]) => cluster.airdrop(key, lamportCount),
  };
}

function createTransactionMethods(at: TransactionNode, withContext: WithContext): Record<string, RpcMethod> {
  const { cluster, node } = at;
  return {
    sendTransaction: ([text, config]: readonly [string, Config?]) => sendTransaction(at, text, config ?? {}),
    simulateTransaction: ([text, config]: readonly [string, Config?]) => {
      const outcome = cluster.simulate(readWire(text, config?.encoding, at.faults));
      return withContext({ err: outcome.error, logs: outcome.logs, unitsConsumed: outcome.computeUnits, accounts: null });
    },
    getFeeForMessage: () => withContext(LAMPORTS_PER_SIGNATURE),
    getSignatureStatuses: ([signatures, config]: readonly [readonly string[], Config?]) =>
      withContext(signatures.map((signature) => presentStatus(node, signature, config?.searchTransactionHistory === true))),
    getSignaturesForAddress: ([key, config]: readonly [string, Config?]) => listSignatures(at, key, config ?? {}),
    getTransaction: ([signature, config]: readonly [string, (Config | string)?]) => {
      const encoding = typeof config === "string" ? config : (config?.encoding ?? "json");
      const commitment = typeof config === "string" ? undefined : config?.commitment;
      const entry = node.findEntry(signature);
      if (entry === undefined || entry.decoded === null) return null;
      if (commitment !== "confirmed" && node.confirmationOf(entry) !== "finalized") return null;
      assertVersionAskedFor(entry.decoded, typeof config === "string" ? undefined : config?.maxSupportedTransactionVersion);
      return presentTransaction(entry, entry.decoded, encoding);
    },
  };
}

function sendTransaction({ cluster, node, faults, dice }: TransactionNode, text: string, config: Config): string {
  const decoded = readWire(text, config.encoding, faults);
  const most = decoded.message.version === 1 ? MAX_WIRE_BYTES_V1 : MAX_WIRE_BYTES;
  if (decoded.wire.length > most) {
    throw new RpcRefusal(INVALID_PARAMS, `transaction too large: ${decoded.wire.length} bytes (max: ${most})`);
  }
  // A node answers a resend of a landed transaction like the first send.
  if (node.findEntry(decoded.signature) !== undefined) return decoded.signature;
  if (config.skipPreflight !== true) assertPreflight(cluster, node, decoded);
  const { isLost, delaySlots } = dice.drawForTransaction();
  if (isLost) return decoded.signature;
  if (delaySlots > 0) cluster.delay(decoded, delaySlots);
  else cluster.include(decoded);
  return decoded.signature;
}

/** A reader that does not say which versions it knows is shown none but the oldest. */
function assertVersionAskedFor({ message: { version } }: DecodedTransaction, most: number | undefined): void {
  if (typeof version !== "number" || (most !== undefined && version <= most)) return;
  throw new RpcRefusal(VERSION_NOT_ASKED_FOR, `Transaction version (${version}) is not supported by the requesting client.`);
}

/** A node that is older than version 1 can't read such bytes. */
function readWire(text: string, encoding: string | undefined, faults: Faults): DecodedTransaction {
  const decoded = decodeWire(text, encoding ?? "base58");
  if (!faults.refusesVersion1 || decoded.message.version !== 1) return decoded;
  const what = "solana_transaction::versioned::VersionedTransaction";
  throw new RpcRefusal(INVALID_PARAMS, `failed to deserialize ${what}: io error: failed to fill whole buffer`);
}

function assertPreflight(cluster: Cluster, node: NodeView, decoded: DecodedTransaction): void {
  if (!node.isBlockhashValid(decoded.message.lifetimeToken)) throw refusePreflight("BlockhashNotFound", []);
  const outcome: Outcome = cluster.simulate(decoded);
  if (outcome.error === "SignatureFailure") {
    throw new RpcRefusal(SIGNATURE_FAILED, "Transaction signature verification failure");
  }
  if (outcome.error !== null) throw refusePreflight(outcome.error, outcome.logs);
}

function refusePreflight(error: unknown, logs: readonly string[]): RpcRefusal {
  const name = typeof error === "string" ? error : JSON.stringify(error);
  return new RpcRefusal(PREFLIGHT_FAILED, `Transaction simulation failed: ${name}`, { err: error, logs });
}

function presentAccount(account: StoredAccount | undefined, config: Config = {}): unknown {
  if (account === undefined) return null;
  const { dataSlice } = config;
  const data =
    dataSlice === undefined ? account.data : account.data.slice(dataSlice.offset, dataSlice.offset + dataSlice.length);
  return {
    data: [Buffer.from(data).toString("base64"), "base64"],
    executable: account.executable,
    lamports: account.lamports,
    owner: account.owner,
    rentEpoch: 0,
    space: account.data.length,
  };
}

function presentStatus(node: NodeView, signature: string, searchesHistory: boolean): unknown {
  const entry = node.findEntry(signature);
  if (entry === undefined) return null;
  if (!searchesHistory && node.slotAt() - entry.slot > STATUS_CACHE_SLOTS) return null;
  const { error } = entry.outcome;
  return {
    slot: entry.slot,
    confirmations: null,
    err: error,
    status: error === null ? { Ok: null } : { Err: error },
    confirmationStatus: node.confirmationOf(entry),
  };
}

function listSignatures(
  { cluster, node }: TransactionNode,
  key: string,
  { before, until, limit, commitment }: Config,
): unknown[] {
  const isVisible = (signature: string): boolean => {
    const entry = node.findEntry(signature);
    return entry !== undefined && (commitment === "confirmed" || node.confirmationOf(entry) === "finalized");
  };
  let signatures = cluster.listSignatures(key).filter(isVisible);
  if (before !== undefined) signatures = signatures.slice(signatures.indexOf(before) + 1);
  const end = until === undefined ? -1 : signatures.indexOf(until);
  if (end >= 0) signatures = signatures.slice(0, end);
  return signatures.slice(0, limit ?? DEFAULT_SIGNATURE_LIMIT).map((signature) => {
    const entry = node.findEntry(signature);
    return {
      signature,
      slot: entry?.slot,
      err: entry?.outcome.error ?? null,
      memo: null,
      blockTime: entry?.blockTimeSeconds,
      confirmationStatus: entry === undefined ? null : node.confirmationOf(entry),
    };
  });
}
