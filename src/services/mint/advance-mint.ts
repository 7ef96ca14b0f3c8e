import type { DrizzleD1Database } from "drizzle-orm/d1";
import type { Minter } from "#chain/minter";
import type { TreeKeeper } from "#chain/tree-keeper";
import { decideMintStep, fitOnChainName, type MintStep } from "#domain/mint";
import type { MintMessage } from "#domain/order-messages";
import { storeCollectionAddress } from "#storage/events";
import {
  findMintTask,
  storeMintCancelled,
  storeMintError,
  storeMintFailure,
  storeMinted,
  storeSignedMint,
  type MintTask,
} from "#storage/mint-jobs";
import { chooseTree, noteFullTree } from "../trees/choose-tree.ts";

/** What minting may reach. */
export interface MintContext {
  readonly db: DrizzleD1Database;
  readonly minter: Minter;
  readonly trees: TreeKeeper;
  /** Origin under which this service is reached from outside, without a slash at its end. */
  readonly publicBaseUrl: string;
  /** Unix milliseconds. */
  readonly nowMs: number;
}

/** `settled`: the message has done its work. `later`: deliver it again. */
export type MintProgress = "settled" | "later";

/**
 * Takes the next step of a ticket's mint. Safe to call any number of times and from several deliveries at once: a transaction is
 * sent only after its signature is stored, and stored only by the delivery that wins the compare-and-swap (docs/adr/0006).
 * @returns `later` too when the job is not in D1 yet: the desk that owns it projects it behind the message.
 * @throws when D1 or the chain can't be reached; nothing is lost, the next delivery walks the same path.
 */
export async function advanceMint(ctx: MintContext, message: MintMessage): Promise<MintProgress> {
  const task = await findMintTask(ctx.db, message);
  if (task === undefined) return "later";
  return takeStep(ctx, task, await decideStep(ctx, task));
}

async function decideStep(ctx: MintContext, task: MintTask): Promise<MintStep> {
  const step = decideMintStep(task, null);
  if (step.kind !== "observe" || task.signature === null) return step;
  return decideMintStep(task, await ctx.minter.observe(task.signature));
}

async function takeStep(ctx: MintContext, task: MintTask, step: MintStep): Promise<MintProgress> {
  switch (step.kind) {
    case "stop":
      return "settled";
    case "observe":
    case "wait":
      return "later";
    case "sign":
      return signAndSend(ctx, task, step.error);
    case "resend":
      return resend(ctx, task);
    case "finish":
      return finish(ctx, task);
    case "fail":
      await storeMintFailure(ctx.db, task, step.error, ctx.nowMs);
      return "settled";
    case "cancel":
      await storeMintCancelled(ctx.db, task, ctx.nowMs);
      return "settled";
  }
}

async function signAndSend(ctx: MintContext, task: MintTask, previousError: string | null): Promise<MintProgress> {
  if (previousError !== null) await noteTrouble(ctx, task, previousError);
  const collection = await ctx.minter.ensureCollection({
    eventId: task.eventId,
    name: fitOnChainName(task.eventName),
    uri: `${ctx.publicBaseUrl}/api/v1/events/${task.eventId}`,
    isFrozen: !task.isTransferable,
    knownAddress: task.collectionAddress,
  });
  if (!collection.isReady) return "later";
  if (collection.address !== task.collectionAddress) {
    await storeCollectionAddress(ctx.db, task, collection.address, ctx.nowMs);
  }
  const treeAddress = await chooseTree(ctx, task.tenantId);
  if (treeAddress === undefined) {
    await storeMintError(ctx.db, task, "waits for the tenant's next tree", ctx.nowMs);
    return "later";
  }
  const signed = await ctx.minter.signMint({
    ticketId: task.ticketId,
    ownerAddress: task.ownerAddress,
    name: fitOnChainName(`${task.eventName} · ${task.ticketTypeName}`),
    uri: `${ctx.publicBaseUrl}/nft/${task.ticketId}`,
    collectionAddress: collection.address,
    treeAddress,
  });
  const isWinner = await storeSignedMint(ctx.db, task, {
    previousSignature: task.signature,
    ...signed,
    treeAddress,
    collectionAddress: collection.address,
    lastError: previousError,
    nowMs: ctx.nowMs,
  });
  if (isWinner) await sendAndNote(ctx, { ...task, treeAddress }, signed.wireBase64);
  return "later";
}

async function resend(ctx: MintContext, task: MintTask): Promise<MintProgress> {
  if (task.wireBase64 !== null) await sendAndNote(ctx, task, task.wireBase64);
  return "later";
}

/** The node's complaint is kept for people; the chain's own status decides. */
async function sendAndNote(ctx: MintContext, task: MintTask, wireBase64: string): Promise<void> {
  const complaint = await ctx.minter.sendMint(wireBase64);
  if (complaint === null) return;
  await storeMintError(ctx.db, task, complaint, ctx.nowMs);
  await noteTrouble(ctx, task, complaint);
}

/** A full tree refuses every mint: the sooner that is known, the fewer are signed for it. */
async function noteTrouble(ctx: MintContext, task: MintTask, error: string): Promise<void> {
  const { tenantId, treeAddress } = task;
  await noteFullTree(ctx, { tenantId, treeAddress: treeAddress ?? ctx.trees.defaultTreeAddress, ticketCount: 1 }, error);
}

async function finish(ctx: MintContext, task: MintTask): Promise<MintProgress> {
  if (task.signature === null) return "later";
  const leaf = await ctx.minter.findMintedLeaf(task.signature);
  if (leaf === undefined) return "later";
  await storeMinted(ctx.db, task, { signature: task.signature, ...leaf, nowMs: ctx.nowMs });
  return "settled";
}
