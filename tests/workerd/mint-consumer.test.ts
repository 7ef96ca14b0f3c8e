import { eq } from "drizzle-orm";
import { beforeEach, describe, expect, it } from "vitest";
import { consumeDeadLetters } from "#queues/dead-letter-consumer";
import { storeMintFailure, storeMinted, storeSignedMints } from "#storage/mint-jobs";
import { mintJobs, orders, tickets } from "#storage/schema";
import { NOW_MS, db, findJob, findOrderStatus, makeMintBench, messagesOf, type MintBench } from "../support/mint-bench.ts";
import { sellTickets } from "../support/sold-tickets.ts";

let bench: MintBench;

beforeEach(() => {
  bench = makeMintBench();
});

describe("the mint queue's consumer", () => {
  it("brings a message back after a growing delay until its ticket is minted, then acknowledges it", async () => {
    const sold = await sellTickets(db, 1);
    const [message] = messagesOf(sold);
    expect(await bench.consume([message], 1)).toMatchObject([{ answer: "retry", delaySeconds: 1 }]);
    bench.minter.seen = "in_flight";
    expect(await bench.consume([message], 2)).toMatchObject([{ answer: "retry", delaySeconds: 2 }]);
    bench.minter.seen = "succeeded";
    expect(await bench.consume([message], 3)).toMatchObject([{ answer: "ack" }]);
    expect(await findJob(message?.ticketId ?? "")).toMatchObject({
      status: "MINTED",
      assetId: "asset",
      leafIndex: 7,
      mintedAtMs: NOW_MS,
      attempts: 1,
      // Nobody sends them any more.
      wireBase64: null,
    });
    expect(await findOrderStatus(sold.orderId)).toBe("COMPLETED");
    expect(await bench.consume([message], 4)).toMatchObject([{ answer: "ack" }]);
    expect(bench.minter.signed).toHaveLength(1);
  });

  it("keeps a message whose job has not reached D1 yet", async () => {
    const unknown = { ticketId: crypto.randomUUID(), tenantId: crypto.randomUUID() };
    expect(await bench.consume([unknown], 7)).toMatchObject([{ answer: "retry", delaySeconds: 60 }]);
    expect(bench.minter.signed).toEqual([]);
  });

  it("does not mint a ticket for a message that names another tenant", async () => {
    const sold = await sellTickets(db, 1);
    const foreign = { ticketId: sold.ticketIds[0], tenantId: crypto.randomUUID() };
    expect(await bench.consume([foreign])).toMatchObject([{ answer: "retry" }]);
    expect(bench.minter.signed).toEqual([]);
  });

  it("answers each message by itself: an unreadable one is dropped and a failing chain delays, whatever the others do", async () => {
    const minted = await sellTickets(db, 1);
    await bench.consume(messagesOf(minted));
    bench.minter.seen = "succeeded";
    bench.minter.failure = new Error("no route to the chain");
    const waiting = await sellTickets(db, 1);
    const answers = await bench.consume(["nonsense", ...messagesOf(minted), ...messagesOf(waiting)]);
    expect(answers.find(({ ticketId }) => ticketId === minted.ticketIds[0])).toMatchObject({ answer: "ack" });
    expect(answers.find(({ ticketId }) => ticketId === waiting.ticketIds[0])).toMatchObject({ answer: "retry" });
    expect(answers.find(({ ticketId }) => ticketId === "")).toMatchObject({ answer: "ack" });
    expect(bench.logLines.join("\n")).toContain("no route to the chain");
  });

  it("stores the signature of only one of many deliveries at the same instant, and sends only that", async () => {
    const sold = await sellTickets(db, 1);
    await Promise.all(Array.from({ length: 5 }, () => bench.consume(messagesOf(sold))));
    expect(bench.minter.signed).toHaveLength(5);
    const job = await findJob(sold.ticketIds[0] ?? "");
    expect(bench.minter.sent).toEqual([job?.wireBase64]);
    expect(job?.attempts).toBe(1);
  });

  it("mints five tickets in one transaction, asks the chain once for all that come together, and gives each its own leaf", async () => {
    const messages = messagesOf(await sellTickets(db, 10));
    await bench.consume(messages);
    expect(bench.minter.batches.map(({ length }) => length)).toEqual([5, 5]);
    bench.minter.seen = "succeeded";
    const answers = await bench.consume(messages, 2);
    expect(answers.map(({ answer }) => answer)).toEqual(messages.map(() => "ack"));
    expect(bench.minter.looks).toEqual([bench.minter.signed]);
    const jobs = await Promise.all(messages.map(({ ticketId }) => findJob(ticketId)));
    for (const [batch, signature] of bench.minter.signed.entries()) {
      const minted = jobs.filter((job) => job?.signature === signature);
      const expected = bench.minter.batches[batch]?.map((ticketId, place) => `${ticketId} ${7 + place}`);
      expect(minted.map((job) => `${job?.ticketId} ${job?.leafIndex}`).toSorted()).toEqual(expected?.toSorted());
    }
  });

  it("mints ten in one of version 1, and after one in vain goes on by twos and ones", async () => {
    bench.minter.transactionVersion = 1;
    const messages = messagesOf(await sellTickets(db, 10));
    bench.minter.seen = "failed";
    for (let round = 0; round < 3; round += 1) await bench.consume(messages);
    const sizes = bench.minter.batches.map(({ length }) => length);
    expect(sizes).toEqual([10, 2, 2, 2, 2, 2, ...Array.from({ length: 10 }, () => 1)]);
  });

  it("leaves tickets that would not fill a transaction to the next delivery while many come, and signs for a few at once", async () => {
    const messages = messagesOf(await sellTickets(db, 8));
    await bench.consume(messages);
    expect(bench.minter.batches.map(({ length }) => length)).toEqual([5]);
    await bench.consume(messages, 2);
    expect(bench.minter.batches.map(({ length }) => length)).toEqual([5, 3]);
  });

  it("stores a transaction on all of its tickets or on none: who signs for one that is signed for throws everything away", async () => {
    const sold = await sellTickets(db, 3);
    const [first, ...others] = sold.ticketIds.map((ticketId) => ({
      tenantId: sold.tenantId,
      ticketId,
      signature: null,
      error: null,
    }));
    if (first === undefined) throw new Error("nothing was sold");
    const signed = { wireBase64: "w", lastValidBlockHeight: 1, treeAddress: "t", collectionAddress: "c", nowMs: NOW_MS };
    expect(await storeSignedMints(db, [first], { ...signed, signature: "one" })).toBe(true);
    expect(await storeSignedMints(db, [first, ...others], { ...signed, signature: "two" })).toBe(false);
    const stored = await Promise.all(sold.ticketIds.map(async (id) => (await findJob(id))?.signature));
    expect(stored).toEqual(["one", null, null]);
    const next = [{ ...first, signature: "one", error: "expired" }, ...others];
    expect(await storeSignedMints(db, next, { ...signed, signature: "three" })).toBe(true);
    expect(await findJob(first.ticketId)).toMatchObject({ signature: "three", attempts: 2, lastError: "expired" });
    expect(await findJob(sold.ticketIds[1])).toMatchObject({ signature: "three", attempts: 1, lastError: null });
  });

  it("does not store a transaction on a ticket of another tenant, nor then on its neighbours", async () => {
    const [mine, foreign] = [await sellTickets(db, 1), await sellTickets(db, 1)];
    const tasks = [mine, foreign].map(({ ticketIds: [ticketId = ""] }) => {
      return { tenantId: mine.tenantId, ticketId, signature: null, error: null };
    });
    const where = { treeAddress: "t", collectionAddress: "c" };
    const change = { signature: "s", wireBase64: "w", lastValidBlockHeight: 1, ...where, nowMs: NOW_MS };
    expect(await storeSignedMints(db, tasks, change)).toBe(false);
    expect(await findJob(mine.ticketIds[0])).toMatchObject({ status: "QUEUED", signature: null });
  });

  it("parts a transaction that came to nothing into smaller ones, until each ticket stands alone", async () => {
    const sold = await sellTickets(db, 5);
    bench.minter.seen = "failed";
    for (let round = 0; round < 3; round += 1) await bench.consume(messagesOf(sold));
    expect(bench.minter.batches.map(({ length }) => length)).toEqual([5, 2, 2, 1, 1, 1, 1, 1, 1]);
  });

  it("gives up at once, and alone, a ticket that no transaction can be built for", async () => {
    const sold = await sellTickets(db, 3);
    const [unfit = ""] = sold.ticketIds;
    bench.minter.unfit.add(unfit);
    const answers = await bench.consume(messagesOf(sold));
    expect(answers.filter(({ answer }) => answer === "ack").map(({ ticketId }) => ticketId)).toEqual([unfit]);
    expect(await findJob(unfit)).toMatchObject({ status: "FAILED", lastError: "can't be minted: no address", attempts: 0 });
    expect(bench.logLines.filter((line) => line.includes("mint_given_up"))).toHaveLength(1);
    expect(bench.minter.batches).toHaveLength(1);
    expect(bench.minter.batches[0]).toHaveLength(2);
  });

  it("pauses while the wallet is below its floor: nothing is used up, dead letters give up nothing, and it goes on by itself", async () => {
    const sold = await sellTickets(db, 2);
    const sent = await sellTickets(db, 1);
    await bench.consume(messagesOf(sent));
    bench.minter.isFull = false;
    bench.minter.seen = "succeeded";
    const answers = await bench.consume([...messagesOf(sold), ...messagesOf(sent)]);
    // What was sent before is finished all the same.
    expect(answers.find(({ ticketId }) => ticketId === sent.ticketIds[0])).toMatchObject({ answer: "ack" });
    for (const id of sold.ticketIds) {
      expect(answers.find(({ ticketId }) => ticketId === id)).toMatchObject({ answer: "retry", delaySeconds: 60 });
    }
    expect(bench.logLines.filter((line) => line.includes("mint_paused"))).toHaveLength(1);
    expect(await bench.consume(messagesOf(sold), 1, consumeDeadLetters)).toMatchObject([{ answer: "ack" }, { answer: "ack" }]);
    expect(await findJob(sold.ticketIds[0])).toMatchObject({ status: "QUEUED", attempts: 0, signature: null });
    bench.minter.isFull = true;
    await bench.consume(messagesOf(sold));
    expect(await findJob(sold.ticketIds[0])).toMatchObject({ status: "SUBMITTED", attempts: 1 });
  });

  it("records what the node complained of, and lets it decide nothing", async () => {
    const sold = await sellTickets(db, 1);
    bench.minter.complaint = "insufficient funds";
    await bench.consume(messagesOf(sold));
    expect(await findJob(sold.ticketIds[0] ?? "")).toMatchObject({ status: "SUBMITTED", lastError: "insufficient funds" });
  });

  it("completes an order only when every ticket bought is in D1 and minted", async () => {
    const sold = await sellTickets(db, 2);
    const late = sold.ticketIds[1] ?? "";
    const lateTicket = await db.select().from(tickets).where(eq(tickets.id, late)).get();
    const lateJob = await findJob(late);
    await db.delete(mintJobs).where(eq(mintJobs.ticketId, late));
    await db.delete(tickets).where(eq(tickets.id, late));
    await bench.consume(messagesOf(sold).slice(0, 1));
    bench.minter.seen = "succeeded";
    await bench.consume(messagesOf(sold).slice(0, 1));
    expect(await findOrderStatus(sold.orderId)).toBe("AWAITING_MINT");
    if (lateTicket === undefined || lateJob === undefined) throw new Error("the second ticket was not sold");
    await db.insert(tickets).values(lateTicket);
    await db.insert(mintJobs).values(lateJob);
    await bench.consume(messagesOf(sold).slice(1));
    await bench.consume(messagesOf(sold).slice(1));
    expect(await findOrderStatus(sold.orderId)).toBe("COMPLETED");
  });

  it("never lowers an order: one refunded meanwhile stays refunded", async () => {
    const sold = await sellTickets(db, 1);
    const task = {
      tenantId: sold.tenantId,
      ticketId: sold.ticketIds[0] ?? "",
      orderId: sold.orderId,
      signature: null,
      treeAddress: null,
    };
    await db.update(orders).set({ status: "REFUNDED" }).where(eq(orders.id, sold.orderId));
    await storeMintFailure(db, task, "boom", NOW_MS);
    await storeMinted(db, [{ ...task, signature: "s", assetId: "a", leafIndex: 1 }], NOW_MS);
    expect(await findOrderStatus(sold.orderId)).toBe("REFUNDED");
  });
});
