import { decideLeafNews, type NewsDecision } from "#domain/chain-news";
import { assertInvariant } from "#domain/result";
import {
  abandonHold,
  completeHold,
  listLeafNews,
  releaseTicket,
  scheduleLeafNews,
  setHolder,
  settleLastMove,
  type NamedTicket,
  type StoredNews,
} from "#storage/leaf-news";
import { attempt } from "../attempt.ts";
import type { ServiceContext } from "../context.ts";
import { findDesk } from "../find-desk.ts";
import { proveAsset } from "./prove-asset.ts";

/** What noticing moved assets may reach. */
export type NoticeContext = Pick<ServiceContext, "d1" | "gate" | "desk" | "eventQueue" | "assetChain" | "logger" | "nowMs">;

/** Each batch is one read and two writes; tickets that change take a few calls each, of about 1,000 that an invocation may make. */
const NEWS_AT_ONCE = 500;
const BATCHES_A_RUN = 10;
const TICKETS_A_RUN = 50;
/** A mint is noted some seconds after its leaf can be read, and a move takes about as long. */
const LOOK_AGAIN_MS = 60_000;
/** Leaves that were never a ticket's stay unknown. A tree may have many, and none of them may keep what is new waiting. */
const LOOK_AT_UNKNOWN_MS = 10 * 60_000;

/**
 * Compares what changed in our trees with the tickets: one whose asset somebody moved to another wallet outside the service cannot be
 * shown any more, and is that wallet's to claim (docs/adr/0021). For the cron trigger. A change stays news until all is done about it, and
 * each step may be repeated, so a run that dies is gone on with by the next. @returns how many tickets were held or released.
 */
export async function noticeMovedAssets(ctx: NoticeContext): Promise<number> {
  let count = 0;
  for (let batch = 0; batch < BATCHES_A_RUN && count < TICKETS_A_RUN; batch += 1) {
    const news = await listLeafNews(ctx.d1, ctx.nowMs, NEWS_AT_ONCE);
    if (news.length === 0) break;
    count += await judge(ctx, news);
    if (news.length < NEWS_AT_ONCE) break;
  }
  return count;
}

async function judge(ctx: NoticeContext, news: readonly StoredNews[]): Promise<number> {
  const { walletAddress } = (await ctx.assetChain()).mover;
  const done: StoredNews[] = [];
  const later: StoredNews[] = [];
  let count = 0;
  for (const change of news) {
    const decision = decideLeafNews(change, walletAddress);
    if (decision === "stay") done.push(change);
    else if (decision === "wait" || change.ticket === undefined || count >= TICKETS_A_RUN) later.push(change);
    else {
      count += 1;
      const isDone = await changeTicket(ctx, change, change.ticket, decision);
      (isDone ? done : later).push(change);
    }
  }
  await scheduleLeafNews(ctx.d1, done, null);
  const isKnown = ({ ticket }: StoredNews): boolean => ticket !== undefined;
  await scheduleLeafNews(ctx.d1, later.filter(isKnown), ctx.nowMs + LOOK_AGAIN_MS);
  await scheduleLeafNews(
    ctx.d1,
    later.filter((change) => !isKnown(change)),
    ctx.nowMs + LOOK_AT_UNKNOWN_MS,
  );
  return count;
}

/** @returns false when it must be looked at again. */
async function changeTicket(
  ctx: NoticeContext,
  change: StoredNews,
  ticket: NamedTicket,
  decision: Exclude<NewsDecision, "wait" | "stay">,
): Promise<boolean> {
  const { id: ticketId } = ticket;
  const { ownerAddress, seq } = change;
  const steps = {
    hold: () => hold(ctx, ticket, ownerAddress),
    pass_on: () => setHolder(ctx.d1, ticket, ownerAddress),
    release: () => releaseTicket(ctx.d1, ticket),
    arrive: () => settleLastMove(ctx.d1, ticket, seq, ctx.nowMs).then(() => true),
  };
  const isBegun = ticket.heldByAddress !== null && !ticket.isHoldDone;
  const changed = await attempt(
    (isBegun ? Promise.resolve(true) : isThereNow(ctx, change)).then((isThere) => isThere && steps[decision]()),
  );
  if (changed.ok) return changed.value;
  ctx.logger.warn("a ticket whose asset was moved waits for its gate, its desk, D1 or the chain", {
    ticketId,
    error: changed.failure,
  });
  return false;
}

/**
 * Whether the tree's account says the same: what is stored of a tree may be of long ago, when the tree is read anew or its follower was
 * away. The ticket may have been claimed and passed on since.
 */
async function isThereNow(ctx: NoticeContext, { assetId, ownerAddress }: StoredNews): Promise<boolean> {
  const { trees } = await ctx.assetChain();
  const place = await proveAsset({ ...ctx, trees }, assetId, 0);
  return place.kind === "proven" && place.proof.leaf.ownerAddress === ownerAddress;
}

/**
 * D1 first says that the ticket is being held, so that nobody is shown a code and a crash is gone on from; then the gate kills the
 * credential, or says that it was let in, and the ticket stays with who went in; then the desk and D1, as when a ticket changes hands.
 * @returns true when nothing is left to do.
 */
async function hold(ctx: NoticeContext, found: NamedTicket, ownerAddress: string): Promise<boolean> {
  const isBegun = found.heldByAddress !== null;
  if (!isBegun && !(await setHolder(ctx.d1, found, ownerAddress))) return false;
  const ticket: NamedTicket = { ...found, heldByAddress: found.heldByAddress ?? ownerAddress };
  const { id: ticketId, tenantId, eventId, heldByAddress, credentialEpoch } = ticket;
  const command = { tenantId, ticketId, toEpoch: credentialEpoch + 1, actor: heldByAddress ?? ownerAddress };
  const outcome = await ctx.gate(eventId).handOver(command);
  assertInvariant(outcome !== undefined, "a ticket's event has a gate of its tenant");
  if (outcome === "blocked") return false;
  if (outcome !== "done") {
    await abandonHold(ctx.d1, ticket);
    return true;
  }
  await findDesk(ctx, tenantId, ticketId)?.passOnTicket(tenantId, ticketId);
  const { isHeld, isAnnounced } = await completeHold(ctx.d1, ticket, ctx.nowMs);
  // Without this message the cron sends the event within a minute.
  if (isAnnounced) await attempt(ctx.eventQueue.send({ endpointId: null }));
  if (isHeld)
    ctx.logger.warn("an asset was moved outside the service", { alert: "asset_moved_outside", ticketId, heldByAddress });
  // One that was begun before was begun for what the leaf was then.
  return isHeld && heldByAddress === ownerAddress;
}
