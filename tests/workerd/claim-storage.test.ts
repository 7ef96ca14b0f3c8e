/** What a claim, a hold and a mint that was given up find changed when they come to write: others were there between. */
import { env } from "cloudflare:workers";
import { eq } from "drizzle-orm";
import { describe, expect, it } from "vitest";
import { completeHold, setHolder, type NamedTicket } from "#storage/leaf-news";
import { storeMintFailure } from "#storage/mint-jobs";
import { assetMoves, mintJobs, tickets } from "#storage/schema";
import {
  completeClaim,
  completeHolderClaim,
  findChallenge,
  insertChallenge,
  type StoredChallenge,
} from "#storage/wallet-claims";
import { NOW_MS, db, findJob, findOrderStatus } from "../support/mint-bench.ts";
import { sellTickets, type SoldTickets } from "../support/sold-tickets.ts";

const WALLET = "wallet";

/** A ticket with an open challenge of this user, and what becomes of the ticket. */
async function sellWithChallenge(userId?: string) {
  const sold = await sellTickets(db, 1);
  const [ticketId = ""] = sold.ticketIds;
  const challenge: StoredChallenge = {
    id: crypto.randomUUID(),
    tenantId: sold.tenantId,
    ticketId,
    userId: userId ?? sold.userId,
    walletAddress: WALLET,
    issuedAtMs: NOW_MS,
    expiresAtMs: NOW_MS + 1,
    claimedAtMs: null,
  };
  await insertChallenge(db, challenge);
  const change = (values: Partial<typeof tickets.$inferInsert>) =>
    db.update(tickets).set(values).where(eq(tickets.id, ticketId));
  const read = () => db.select().from(tickets).where(eq(tickets.id, ticketId)).get();
  return { sold, ticketId, challenge, change, read };
}

const listMoves = (ticketId: string) => db.select().from(assetMoves).where(eq(assetMoves.ticketId, ticketId));

describe("a claim by a ticket's owner", () => {
  it.each<[string, Partial<typeof tickets.$inferInsert>]>([
    ["its asset is found in a wallet outside", { heldByAddress: "outside" }],
    ["it changes hands", { ownerUserId: crypto.randomUUID() }],
    ["it is let in", { admittedAtMs: NOW_MS }],
    ["it is cancelled", { status: "CANCELLED" }],
    ["it comes into that wallet by another claim", { walletAddress: WALLET }],
  ])("changes nothing when %s between the answer's reading and its writing", async (_, change) => {
    const claimed = await sellWithChallenge();
    await claimed.change(change);
    const before = await claimed.read();
    expect(await completeClaim(db, claimed.challenge, NOW_MS)).toBe(false);
    expect(await claimed.read()).toEqual(before);
    expect(await listMoves(claimed.ticketId)).toEqual([]);
    expect(await findChallenge(db, claimed.sold.tenantId, claimed.challenge.id)).toMatchObject({ claimedAtMs: null });
  });

  it("takes effect once, however many answers come at the same time", async () => {
    const { challenge, ticketId, read } = await sellWithChallenge();
    const claims = await Promise.all([1, 2, 3].map(() => completeClaim(db, challenge, NOW_MS)));
    expect(claims.filter(Boolean)).toHaveLength(1);
    expect(await read()).toMatchObject({ walletAddress: WALLET });
    expect(await listMoves(ticketId)).toHaveLength(1);
  });

  it("is not found by its nonce in another tenant", async () => {
    const { challenge } = await sellWithChallenge();
    expect(await findChallenge(db, crypto.randomUUID(), challenge.id)).toBeUndefined();
  });
});

describe("a claim by who has a ticket's asset", () => {
  it.each<[string, Partial<typeof tickets.$inferInsert>]>([
    ["while the old credential is not dead yet", { heldSinceMs: null }],
    ["when the asset went on to another wallet", { heldByAddress: "further" }],
    ["when it is back where it belongs", { heldByAddress: null, heldSinceMs: null }],
    ["when somebody else claimed it first", { ownerUserId: crypto.randomUUID() }],
    ["when the ticket was let in", { admittedAtMs: NOW_MS }],
  ])("changes nothing %s", async (_, change) => {
    const { sold, challenge, ...claimed } = await sellWithChallenge(crypto.randomUUID());
    await claimed.change({ heldByAddress: WALLET, heldSinceMs: 1, ...change });
    const before = await claimed.read();
    const refused = { isClaimed: false, isAnnounced: false };
    expect(await completeHolderClaim(db, challenge, sold.userId, NOW_MS)).toEqual(refused);
    expect(await claimed.read()).toEqual(before);
  });
});

describe("holding a ticket", () => {
  const nameOf = (sold: SoldTickets, ticketId: string): NamedTicket => ({
    id: ticketId,
    tenantId: sold.tenantId,
    eventId: sold.eventId,
    ownerUserId: sold.userId,
    status: "SOLD",
    credentialEpoch: 0,
    admittedAtMs: null,
    isCancelled: false,
    isTransferable: true,
    walletAddress: null,
    heldByAddress: null,
    isHoldDone: false,
    isMoving: false,
    isAstray: false,
  });

  it.each<[string, Partial<typeof tickets.$inferInsert>, boolean]>([
    ["it changed hands", { ownerUserId: crypto.randomUUID() }, false],
    ["it was let in", { admittedAtMs: NOW_MS }, false],
    ["it was claimed into a wallet", { walletAddress: WALLET }, false],
    ["a move was queued, which brings the asset where it belongs", {}, true],
  ])("neither begins nor ends when %s meanwhile", async (_, change, isMoving) => {
    const { sold, ticketId, ...held } = await sellWithChallenge();
    if (isMoving)
      await db
        .insert(assetMoves)
        .values({ transferId: ticketId, tenantId: sold.tenantId, ticketId, status: "QUEUED", queuedAtMs: 1 });
    else await held.change(change);
    const before = await held.read();
    expect(await setHolder(env.DB, nameOf(sold, ticketId), "outside")).toBe(false);
    expect(await completeHold(env.DB, nameOf(sold, ticketId), NOW_MS)).toEqual({ isHeld: false, isAnnounced: false });
    expect(await held.read()).toEqual(before);
  });
});

describe("giving a mint up", () => {
  it("leaves a job alone that was signed for again meanwhile, and its order too", async () => {
    const sold = await sellTickets(db, 1);
    const [ticketId = ""] = sold.ticketIds;
    const signed = { status: "SUBMITTED", signature: "newer" } as const;
    await db.update(mintJobs).set(signed).where(eq(mintJobs.ticketId, ticketId));
    for (const signature of ["older", null]) {
      await storeMintFailure(db, { tenantId: sold.tenantId, ticketId, orderId: sold.orderId, signature }, "boom", NOW_MS);
      expect(await findJob(ticketId)).toMatchObject(signed);
    }
    expect(await findOrderStatus(sold.orderId)).toBe("AWAITING_MINT");
  });
});
