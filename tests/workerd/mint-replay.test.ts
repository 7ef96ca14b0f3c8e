import { eq } from "drizzle-orm";
import { beforeEach, describe, expect, it } from "vitest";
import { deriveId, deskNumberFor } from "#domain/ids";
import { MAX_SIGNED_TRANSACTIONS } from "#domain/mint";
import type { MintMessage } from "#domain/order-messages";
import { consumeDeadLetters } from "#queues/dead-letter-consumer";
import { findMint } from "#services/mint/find-mint";
import { listMintJobs } from "#services/mint/list-mint-jobs";
import { parseCursor } from "#services/page";
import { formatTicketNumber } from "#domain/ticket-number";
import { findNftMetadata } from "#services/mint/nft-metadata";
import { queueMint, type MintQueue } from "#services/mint/queue-mint";
import { requeueStaleMints } from "#services/mint/requeue-stale-mints";
import { mintJobs } from "#storage/schema";
import {
  NOW_MS,
  collectInto,
  db,
  findJob,
  findOrderStatus,
  makeMintBench,
  messagesOf,
  type MintBench,
} from "../support/mint-bench.ts";
import { sellTickets, type SoldTickets } from "../support/sold-tickets.ts";

let bench: MintBench;

beforeEach(() => {
  bench = makeMintBench();
});

describe("giving a mint up, and taking it up again", () => {
  it("marks job and order, keeps the signature, and finds the ticket minted after all when it is queued again", async () => {
    const sold = await sellTickets(db, 1);
    const [message] = messagesOf(sold);
    await bench.consume([message]);
    expect(await bench.consume([message], 1, consumeDeadLetters)).toMatchObject([{ answer: "ack" }]);
    const failed = await findJob(message?.ticketId ?? "");
    expect(failed).toMatchObject({
      status: "FAILED",
      signature: bench.minter.signed[0],
      lastError: "given up: not final after the last delivery",
    });
    expect(await findOrderStatus(sold.orderId)).toBe("MINT_FAILED");

    const sent: MintMessage[] = [];
    const mintQueue = collectInto(sent);
    const queued = await queueMint({ db, mintQueue, nowMs: NOW_MS }, sold.tenantId, { orderId: sold.orderId });
    expect(queued).toEqual({ ok: true, value: { items: [{ ticketId: message?.ticketId, status: "SUBMITTED" }] } });
    expect(sent).toEqual([message]);
    bench.minter.seen = "succeeded";
    await bench.consume(sent);
    expect(bench.minter.signed).toHaveLength(1);
    expect(await findJob(message?.ticketId ?? "")).toMatchObject({ status: "MINTED" });
    expect(await findOrderStatus(sold.orderId)).toBe("COMPLETED");
  });

  it("does not fail a dead letter whose ticket is on the chain already", async () => {
    const sold = await sellTickets(db, 1);
    await bench.consume(messagesOf(sold));
    bench.minter.seen = "succeeded";
    await bench.consume(messagesOf(sold), 1, consumeDeadLetters);
    expect(await findJob(sold.ticketIds[0] ?? "")).toMatchObject({ status: "MINTED" });
  });

  it("fails a dead letter when the chain can't be reached either, with the reason and without any SQL", async () => {
    const sold = await sellTickets(db, 1);
    bench.minter.failure = new Error("outer", { cause: new Error("no route to the chain") });
    await bench.consume(messagesOf(sold), 1, consumeDeadLetters);
    expect(await findJob(sold.ticketIds[0] ?? "")).toMatchObject({
      status: "FAILED",
      lastError: "given up: no route to the chain",
    });
  });

  it("fails after eight expired transactions and signs afresh when it is queued again", async () => {
    const sold = await sellTickets(db, 1);
    bench.minter.finalizedBlockHeight = 151;
    for (let signed = 0; signed <= MAX_SIGNED_TRANSACTIONS; signed += 1) await bench.consume(messagesOf(sold));
    expect(await findJob(sold.ticketIds[0] ?? "")).toMatchObject({
      status: "FAILED",
      attempts: MAX_SIGNED_TRANSACTIONS,
      lastError: "expired without landing",
    });
    expect(bench.logLines.filter((line) => line.includes("mint_given_up"))).toHaveLength(1);
    const mintQueue = collectInto([]);
    await queueMint({ db, mintQueue, nowMs: NOW_MS }, sold.tenantId, { ticketIds: sold.ticketIds });
    await bench.consume(messagesOf(sold));
    expect(await findJob(sold.ticketIds[0] ?? "")).toMatchObject({ status: "SUBMITTED", attempts: 1 });
  });

  it("answers not_found for another tenant's tickets and leaves minted ones alone", async () => {
    const sold = await sellTickets(db, 1);
    const mintQueue: MintQueue = { sendBatch: () => Promise.reject(new Error("nothing is to be sent")) };
    const foreign = await queueMint({ db, mintQueue, nowMs: NOW_MS }, crypto.randomUUID(), { ticketIds: sold.ticketIds });
    expect(foreign).toMatchObject({ ok: false, failure: { code: "not_found" } });
    await bench.consume(messagesOf(sold));
    bench.minter.seen = "succeeded";
    await bench.consume(messagesOf(sold));
    const again = await queueMint({ db, mintQueue, nowMs: NOW_MS }, sold.tenantId, { ticketIds: sold.ticketIds });
    expect(again).toEqual({ ok: true, value: { items: [{ ticketId: sold.ticketIds[0], status: "MINTED" }] } });
  });

  it("sends the message of a job that nobody has touched for ten minutes, once in that time, and of no other", async () => {
    const sold = await sellTickets(db, 2);
    const sent: MintMessage[] = [];
    const mintQueue = collectInto(sent);
    await db
      .update(mintJobs)
      .set({ updatedAtMs: NOW_MS })
      .where(eq(mintJobs.ticketId, sold.ticketIds[1] ?? ""));
    await requeueStaleMints({ db, mintQueue, nowMs: NOW_MS });
    const mine = sent.filter(({ tenantId }) => tenantId === sold.tenantId);
    expect(mine).toEqual([{ ticketId: sold.ticketIds[0], tenantId: sold.tenantId }]);
    await requeueStaleMints({ db, mintQueue: collectInto(sent), nowMs: NOW_MS + 60_000 });
    expect(sent.filter(({ tenantId }) => tenantId === sold.tenantId)).toHaveLength(1);
  });
});

const principalOf = (sold: SoldTickets, role: "user" | "admin" = "user") => ({
  tenantId: sold.tenantId,
  userId: sold.userId,
  role,
  permissions: [],
});

describe("reading mints", () => {
  const noDesk = (): never => {
    throw new Error("D1 has the job: no desk is to be asked");
  };

  it("shows a ticket's mint to its owner, hides it from others, and tells of one that only the desk has", async () => {
    const sold = await sellTickets(db, 1);
    const ticketId = sold.ticketIds[0] ?? "";
    expect(await findMint({ db, desk: noDesk, principal: principalOf(sold) }, ticketId)).toMatchObject({
      ok: true,
      value: { ticketId, status: "QUEUED" },
    });
    const emptyDesk = () =>
      ({ findTicket: () => Promise.resolve(undefined) }) as unknown as ReturnType<Parameters<typeof findMint>[0]["desk"]>;
    const stranger = { ...principalOf(sold), userId: crypto.randomUUID() };
    expect(await findMint({ db, desk: emptyDesk, principal: stranger }, ticketId)).toMatchObject({
      ok: false,
      failure: { code: "not_found" },
    });
    const fresh = deriveId(deskNumberFor(sold.tenantId, sold.userId, 1), ["fresh"]);
    const desk = () =>
      ({ findTicket: () => Promise.resolve({ id: fresh, ownerUserId: sold.userId, createdAtMs: 5 }) }) as unknown as ReturnType<
        Parameters<typeof findMint>[0]["desk"]
      >;
    expect(await findMint({ db, desk, principal: principalOf(sold) }, fresh)).toMatchObject({
      ok: true,
      value: { status: "QUEUED", queuedAtMs: 5 },
    });
    expect(await findMint({ db, desk, principal: stranger }, fresh)).toMatchObject({ ok: false });
  });

  it("lists a tenant's jobs in one status page by page, each once", async () => {
    const sold = await sellTickets(db, 5);
    const seen: string[] = [];
    let cursor: string | null = null;
    do {
      const after = parseCursor(cursor ?? undefined);
      if (!after.ok) throw new Error("its own cursor was refused");
      const page: Awaited<ReturnType<typeof listMintJobs>> = await listMintJobs(
        { db, principal: principalOf(sold, "admin") },
        "QUEUED",
        { limit: 2, after: after.value },
      );
      seen.push(...page.items.map(({ ticketId }) => ticketId));
      cursor = page.nextCursor;
    } while (cursor !== null);
    expect(seen.toSorted()).toEqual(sold.ticketIds.toSorted());
  });

  it("describes a ticket for its leaf without a word about its owner", async () => {
    const face = { db, publicBaseUrl: "https://tickets.test" };
    const sold = await sellTickets(db, 1);
    const metadata = await findNftMetadata(face, sold.ticketIds[0] ?? "");
    const number = formatTicketNumber(sold.ticketIds[0] ?? "");
    expect(metadata).toMatchObject({
      ok: true,
      value: {
        name: `Night of the Lamps · Standing · ${number}`,
        symbol: "TICKET",
        image: `https://tickets.test/nft/${sold.ticketIds[0]}/image`,
      },
    });
    expect(JSON.stringify(metadata)).not.toContain(sold.userId);
    expect(await findNftMetadata(face, crypto.randomUUID())).toMatchObject({ ok: false, failure: { code: "not_found" } });
  });
});
