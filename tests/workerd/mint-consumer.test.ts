import { eq } from "drizzle-orm";
import { beforeEach, describe, expect, it } from "vitest";
import { storeMintFailure, storeMinted } from "#storage/mint-jobs";
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
    const copies = Array.from({ length: 5 }, () => messagesOf(sold)[0]);
    await bench.consume(copies);
    expect(bench.minter.signed).toHaveLength(5);
    const job = await findJob(sold.ticketIds[0] ?? "");
    expect(bench.minter.sent).toEqual([job?.wireBase64]);
    expect(job?.attempts).toBe(1);
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
    await storeMinted(db, task, { signature: "s", assetId: "a", leafIndex: 1, nowMs: NOW_MS });
    expect(await findOrderStatus(sold.orderId)).toBe("REFUNDED");
  });
});
