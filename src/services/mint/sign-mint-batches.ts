import type { MintableTicket, Minter, SigningResult } from "#chain/minter";
import type { SignedTransaction } from "#chain/sign-transaction";
import { fitOnChainName } from "#domain/on-chain-name";
import { decideBatchLimit, groupMints } from "#domain/mint-batches";
import { storeCollectionAddress } from "#storage/events";
import { storeMintError, storeSignedMints, type MintTask } from "#storage/mint-jobs";
import { chooseTree, noteFullTree } from "../trees/choose-tree.ts";
import { failMint } from "./fail-mint.ts";
import type { MintContext } from "./mint-context.ts";
import type { MintOutcomes } from "./mint-outcomes.ts";

/** A ticket to sign for. `error` says what became of the transaction before. */
export interface TaskToSign {
  readonly task: MintTask;
  readonly error: string | null;
}

/** A ticket to sign for, and where it goes. */
interface PlacedTask extends TaskToSign {
  readonly place: string;
  readonly attempts: number;
  readonly treeAddress: string;
  readonly lookupTableAddress: string | null;
  readonly collectionAddress: string;
}

/**
 * Signs transactions for these tickets, several in one where they may share it, stores each and sends it. While the wallet is short
 * of lamports nothing is signed and nothing is used up: the jobs stay as they are, and their messages come again.
 */
export async function signAndSend(ctx: MintContext, toSign: readonly TaskToSign[], outcomes: MintOutcomes): Promise<void> {
  if (toSign.length === 0) return;
  const tasks = toSign.map(({ task }) => task);
  await outcomes.attempt(tasks, async () => {
    if (!(await ctx.minter.isFunded())) {
      ctx.logger.error("minting is paused: the wallet is below its floor", {
        alert: "mint_paused",
        walletAddress: ctx.minter.walletAddress,
        waiting: tasks.length,
      });
      outcomes.note(tasks, "paused", "the minting wallet is below its floor");
      return;
    }
    await noteTroubles(ctx, toSign);
    const placed = await placeTasks(ctx, toSign, outcomes);
    const sendings: Promise<void>[] = [];
    for (const group of groupMints(placed)) {
      const members = group.map(({ task }) => task);
      await outcomes.attempt(members, () => signGroup(ctx, group, outcomes, sendings));
    }
    await Promise.all(sendings);
  });
}

/** Finds out where each ticket goes; those whose tree or collection is not on chain yet come later. */
async function placeTasks(ctx: MintContext, toSign: readonly TaskToSign[], outcomes: MintOutcomes): Promise<PlacedTask[]> {
  const placed: PlacedTask[] = [];
  // Tickets of one event and, because those have collections of their own, either transferable or not.
  const groups = Map.groupBy(toSign, ({ task }) => `${task.eventId} ${task.isTransferable}`);
  for (const alike of groups.values()) {
    const tasks = alike.map(({ task }) => task);
    await outcomes.attempt(tasks, async () => {
      const [first] = tasks;
      if (first === undefined) return;
      const { address: collectionAddress, isReady } = await ensureCollection(ctx, first);
      if (!isReady) return;
      const tree = await chooseTree(ctx, first.tenantId);
      if (tree === undefined) {
        outcomes.note(tasks, "paused");
        return storeMintError(ctx.db, tasks, "waits for the tenant's next tree", ctx.nowMs);
      }
      const { address: treeAddress, lookupTableAddress } = tree;
      const where = { place: `${treeAddress} ${collectionAddress}`, treeAddress, lookupTableAddress, collectionAddress };
      for (const { task, error } of alike) placed.push({ task, error, attempts: task.attempts, ...where });
    });
  }
  return placed;
}

async function ensureCollection(ctx: MintContext, task: MintTask): ReturnType<Minter["ensureCollection"]> {
  const collection = await ctx.minter.ensureCollection({
    eventId: task.eventId,
    name: fitOnChainName(task.eventName),
    uri: `${ctx.publicBaseUrl}/api/v1/events/${task.eventId}`,
    isFrozen: !task.isTransferable,
    knownAddress: task.collectionAddress,
  });
  if (collection.isReady && collection.address !== task.collectionAddress) {
    await storeCollectionAddress(ctx.db, task, collection.address, ctx.nowMs);
  }
  return collection;
}

/** Looks whether the trees of transactions that came to nothing are full, so that no other is signed for them. */
async function noteTroubles(ctx: MintContext, toSign: readonly TaskToSign[]): Promise<void> {
  const failed = toSign.filter(({ task, error }) => error !== null && task.signature !== null);
  for (const group of Map.groupBy(failed, ({ task }) => task.signature).values()) {
    const tasks = group.map(({ task }) => task);
    await noteTrouble(ctx, tasks, group[0]?.error ?? "");
  }
}

/** A full tree refuses every mint: the sooner that is known, the fewer are signed for it. */
async function noteTrouble(ctx: MintContext, tasks: readonly MintTask[], error: string): Promise<void> {
  const [first] = tasks;
  if (first === undefined) return;
  const treeAddress = first.treeAddress ?? ctx.treeKeeper.defaultTreeAddress;
  await noteFullTree(ctx, { tenantId: first.tenantId, treeAddress, ticketCount: tasks.length }, error);
}

/**
 * Signs for tickets that may share transactions, and starts sending what was stored. While many come, those that would not fill the
 * last transaction are left for the next delivery, which brings others; few are signed for at once.
 */
async function signGroup(
  ctx: MintContext,
  group: readonly PlacedTask[],
  outcomes: MintOutcomes,
  sendings: Promise<void>[],
): Promise<void> {
  let waiting = group;
  let filledCount = 0;
  for (let [first] = waiting; first !== undefined && waiting.length >= filledCount; [first] = waiting) {
    const { signed, ticketIds, unfit } = await signNext(ctx, first, waiting);
    for (const { ticketId, reason } of unfit) {
      const task = waiting.find((candidate) => candidate.task.ticketId === ticketId)?.task;
      if (task !== undefined) await failMint(ctx, task, `can't be minted: ${reason}`, outcomes);
    }
    const members = waiting.filter(({ task }) => ticketIds.includes(task.ticketId));
    if (signed !== null && (await storeSigned(ctx, members, first, signed))) {
      const tasks = members.map(({ task, treeAddress }) => Object.assign({}, task, { treeAddress }));
      sendings.push(outcomes.attempt(tasks, () => sendAndNote(ctx, tasks, signed.wireBase64)));
    }
    if (first.attempts === 0) filledCount = Math.max(filledCount, ticketIds.length);
    const isDone = new Set([...ticketIds, ...unfit.map(({ ticketId }) => ticketId)]);
    if (isDone.size === 0) throw new Error("a batch was neither signed nor refused");
    waiting = waiting.filter(({ task }) => !isDone.has(task.ticketId));
  }
}

/** Signs one transaction for the first of these tickets and as many others as may share it. */
function signNext(ctx: MintContext, first: PlacedTask, waiting: readonly PlacedTask[]): Promise<SigningResult> {
  const { attempts, treeAddress, lookupTableAddress, collectionAddress } = first;
  const limit = decideBatchLimit(attempts, ctx.minter.transactionVersion);
  const tickets = waiting.slice(0, limit).map(({ task }) => presentTicket(ctx, task));
  return ctx.minter.signMints({ treeAddress, lookupTableAddress, collectionAddress, attempts, tickets });
}

/** @returns true when the transaction may be sent; false when another has been signed for one of its tickets, or one is cancelled. */
function storeSigned(
  { db, nowMs }: MintContext,
  members: readonly PlacedTask[],
  { treeAddress, collectionAddress }: PlacedTask,
  signed: SignedTransaction,
): Promise<boolean> {
  const tasks = members.map(({ task, error }) => ({ ...task, error }));
  return storeSignedMints(db, tasks, { ...signed, treeAddress, collectionAddress, nowMs });
}

function presentTicket(ctx: MintContext, task: MintTask): MintableTicket {
  return {
    ticketId: task.ticketId,
    ownerAddress: task.ownerAddress,
    name: fitOnChainName(`${task.eventName} · ${task.ticketTypeName}`),
    uri: `${ctx.publicBaseUrl}/nft/${task.ticketId}`,
  };
}

/** The node's complaint is kept for people; the chain's own status decides. */
export async function sendAndNote(ctx: MintContext, tasks: readonly MintTask[], wireBase64: string): Promise<void> {
  const complaint = await ctx.minter.sendMints(wireBase64);
  if (complaint === null) return;
  await storeMintError(ctx.db, tasks, complaint, ctx.nowMs);
  await noteTrouble(ctx, tasks, complaint);
}
