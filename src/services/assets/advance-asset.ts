import type { AssetMover, ProvenAsset } from "#chain/asset-mover";
import { decideAssetStep, type AssetGoal, type AssetSighting, type AssetStep, type AssetWorkState } from "#domain/asset-work";
import type { ChainObservation } from "#domain/mint";
import type { AssetPlace } from "#domain/tree-changes";
import {
  endUnminted,
  failWork,
  findAssetTask,
  finishWork,
  noteWork,
  storeSignedWork,
  type AssetTicket,
  type AssetTask,
} from "#storage/asset-work";
import { findTreeOfTicket } from "#storage/tree-index";
import { queueMint, type MintQueue } from "../mint/queue-mint.ts";
import { followTree, type TreeContext } from "./follow-tree.ts";
import { proveAsset } from "./prove-asset.ts";
import { proveByDas, type DasContext } from "./prove-by-das.ts";

/** What working on assets may reach. */
export interface AssetContext extends TreeContext, DasContext {
  readonly mover: AssetMover;
  readonly mintQueue: MintQueue;
  /** The tree of assets whose mint names none. */
  readonly defaultTree: string;
}

/** `settled`: the ticket's asset has nothing left to do. `later`: deliver the message again. */
export type AssetProgress = "settled" | "later";

/** Pieces of work that a delivery may end, one after the other: a ticket rarely has more than one. */
const WORK_A_DELIVERY = 20;

/**
 * Takes the next step of the work on a ticket's asset: moves in the order in which the ticket changed hands, then the burn. Safe to
 * call any number of times and from several deliveries at once, for the reasons that hold for mints: a transaction is sent only
 * after its signature is stored, and only the finalized chain says what became of it (docs/adr/0019).
 * @throws when D1 or the chain can't be reached; nothing is lost, the next delivery walks the same path.
 */
export async function advanceAsset(ctx: AssetContext, ticket: AssetTicket): Promise<AssetProgress> {
  for (let done = 0; done < WORK_A_DELIVERY; done += 1) {
    const task = await findAssetTask(ctx.db, ticket);
    if (task === undefined) return "settled";
    const isEnded = await takeStep(ctx, task);
    if (!isEnded) return "later";
  }
  return "later";
}

/** @returns true when the piece of work is over, so that the next one may follow at once. */
async function takeStep(ctx: AssetContext, task: AssetTask): Promise<boolean> {
  const state = describeTask(ctx, task);
  const observation = await observe(ctx, task, decideAssetStep(state, null, null));
  let step = decideAssetStep(state, observation, null);
  let place: AssetPlace = { kind: "unclear" };
  if (step.kind === "locate") {
    place = await locate(ctx, task);
    step = decideAssetStep(state, observation, toSighting(place));
  }
  return act(ctx, task, { step, goal: state.goal, place });
}

function describeTask({ mover }: AssetContext, { work, mint, isCancelled, walletAddress }: AssetTask): AssetWorkState {
  const { signature, lastValidBlockHeight, attempts } = work;
  const toAddress = walletAddress ?? mover.walletAddress;
  return {
    goal: work.kind === "burn" ? { kind: "burn" } : { kind: "move", toAddress },
    signature,
    lastValidBlockHeight,
    attempts,
    isCancelled,
    mint: mint && { status: mint.status, isSigned: mint.signature !== null },
  };
}

async function observe(ctx: AssetContext, { work }: AssetTask, step: AssetStep): Promise<ChainObservation | null> {
  const { signature, lastValidBlockHeight } = work;
  if (step.kind !== "observe" || signature === null || lastValidBlockHeight === null) return null;
  return ctx.mover.observe({ signature, lastValidBlockHeight });
}

/** The asset's leaf; when what is stored does not reach it, its tree is followed first, and a node's own index asked last. */
async function locate(ctx: AssetContext, task: AssetTask): Promise<AssetPlace> {
  const { mint, sinceSeq } = task;
  const assetId = mint?.assetId ?? null;
  if (assetId === null) return { kind: "unclear" };
  const place = await proveAsset(ctx, assetId, sinceSeq);
  if (place.kind !== "unclear") return place;
  const tree = await findTree(ctx, task);
  await followTree(ctx, tree);
  const followed = await proveAsset(ctx, assetId, sinceSeq);
  return followed.kind === "unclear" ? proveByDas(ctx, { assetId, tree }, sinceSeq) : followed;
}

async function findTree(ctx: AssetContext, ticket: AssetTicket): Promise<string> {
  return (await findTreeOfTicket(ctx.db, ticket)) ?? ctx.defaultTree;
}

function toSighting(place: AssetPlace): AssetSighting {
  if (place.kind !== "proven") return place;
  return { kind: "held", ownerAddress: place.proof.leaf.ownerAddress, isFinal: place.isFinal };
}

async function act(
  ctx: AssetContext,
  task: AssetTask,
  { step, goal, place }: { readonly step: AssetStep; readonly goal: AssetGoal; readonly place: AssetPlace },
): Promise<boolean> {
  const { db, nowMs } = ctx;
  switch (step.kind) {
    case "observe":
    case "locate":
    case "wait":
      await noteWork(db, task.work, null, nowMs);
      return false;
    case "resend":
      if (task.work.wireBase64 !== null) await send(ctx, task, task.work.wireBase64);
      return false;
    case "sign":
      await signAndSend(ctx, task, { goal, place, error: step.error });
      return false;
    case "land":
      return land(ctx, task);
    case "done":
      await finishWork(db, task.work, null, nowMs);
      return true;
    case "fail":
      tellOfFailure(ctx, task, step.error);
      await failWork(db, task.work, step.error, nowMs);
      return true;
    case "cancel_mint":
      await endUnminted(db, task, nowMs);
      return true;
    case "revive_mint":
      await queueMint(ctx, task.tenantId, { ticketIds: [task.ticketId] });
      await noteWork(db, task.work, null, nowMs);
      return false;
  }
}

/** Somebody must see to it, unless it is a move that the burn of its cancelled ticket has overtaken. */
function tellOfFailure({ logger }: AssetContext, { ticketId, isCancelled, work: { kind } }: AssetTask, cause: string): void {
  const fields = { ticketId, kind, cause };
  if (kind === "move" && isCancelled) logger.info("a move was overtaken by its ticket's end", fields);
  else logger.error("work on an asset was given up", { alert: "asset_work_given_up", ...fields });
}

/** While the wallet is short of lamports nothing is signed and nothing used up: the work stays as it is, and its message comes again. */
async function signAndSend(
  ctx: AssetContext,
  task: AssetTask,
  { goal, place, error }: { readonly goal: AssetGoal; readonly place: AssetPlace; readonly error: string | null },
): Promise<void> {
  if (place.kind !== "proven" || task.collectionAddress === null) return;
  if (!(await ctx.mover.isFunded())) {
    ctx.logger.warn("an asset waits: the wallet is below its floor", { ticketId: task.ticketId });
    return noteWork(ctx.db, task.work, "the minting wallet is below its floor", ctx.nowMs);
  }
  const asset: ProvenAsset = { proof: place.proof, collectionAddress: task.collectionAddress };
  const { attempts } = task.work;
  const signing =
    goal.kind === "burn" ? ctx.mover.signBurn(asset, attempts) : ctx.mover.signMove(asset, goal.toAddress, attempts);
  const signed = await signing;
  const isWinner = await storeSignedWork(ctx.db, task.work, { ...signed, lastError: error, nowMs: ctx.nowMs });
  if (isWinner) await send(ctx, { ...task, work: { ...task.work, ...signed } }, signed.wireBase64);
}

/** The node's complaint is kept for people; the chain's own status decides. */
async function send(ctx: AssetContext, { work }: AssetTask, wireBase64: string): Promise<void> {
  await noteWork(ctx.db, work, await ctx.mover.send(wireBase64), ctx.nowMs);
}

/** Notes which change of the tree the transaction made, so that later work on this asset is never decided on an older leaf. */
async function land(ctx: AssetContext, task: AssetTask): Promise<boolean> {
  const { work } = task;
  if (work.signature === null) return false;
  const changes = await ctx.trees.readChanges(await findTree(ctx, task), work.signature);
  const seq = changes?.at(-1)?.seq;
  if (seq === undefined) {
    await noteWork(ctx.db, work, null, ctx.nowMs);
    return false;
  }
  await finishWork(ctx.db, work, seq, ctx.nowMs);
  return true;
}
