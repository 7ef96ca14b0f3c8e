import { eq } from "drizzle-orm";
import { describe, expect, it } from "vitest";
import type { AssetMessage } from "#domain/asset-work";
import { queueTrees, queueWaitingAssets, type QueueAssetsContext } from "#services/assets/queue-assets";
import { endUnminted, failWork, findAssetTask, finishWork, requeueFailedWork, storeSignedWork } from "#storage/asset-work";
import { selectTickets } from "#storage/mint-statements";
import { assetMoves, mintJobs, orders, tickets } from "#storage/schema";
import { insertTenantTree } from "#storage/tenant-trees";
import {
  LANDED_SEQ,
  NOW_MS,
  db,
  findBurn,
  findMove,
  makeAddress,
  makeAssetBench,
  mintTicket,
  queueBurn,
  queueMove,
} from "../support/asset-bench.ts";
import { sellTickets } from "../support/sold-tickets.ts";

const signed = { signature: "s", wireBase64: "w", lastValidBlockHeight: 150, lastError: null, nowMs: NOW_MS };

async function requireTask(tenantId: string, ticketId: string) {
  const task = await findAssetTask(db, { tenantId, ticketId });
  if (task === undefined) throw new Error("there is work to do");
  return task;
}

describe("the asset queue's consumer", () => {
  it("brings a message back after a growing delay until the asset is where it belongs, then acknowledges it", async () => {
    const minted = await mintTicket(makeAddress());
    const transferId = await queueMove(minted, makeAddress());
    const bench = makeAssetBench([minted]);
    const message = { tenantId: minted.sold.tenantId, ticketId: minted.ticketId };
    expect(await bench.consume([message], 1)).toEqual([{ answer: "retry", delaySeconds: 1 }]);
    expect(await findMove(transferId)).toMatchObject({ status: "SUBMITTED", attempts: 1, signature: bench.mover.signed[0] });
    bench.mover.seen = "in_flight";
    expect(await bench.consume([message], 3)).toEqual([{ answer: "retry", delaySeconds: 4 }]);
    bench.mover.seen = "succeeded";
    expect(await bench.consume([message], 4)).toMatchObject([{ answer: "ack" }]);
    expect(await findMove(transferId)).toMatchObject({ status: "MOVED", treeSeq: LANDED_SEQ, lastError: null });
    expect(await bench.consume([message], 5)).toMatchObject([{ answer: "ack" }]);
    expect([bench.mover.signed.length, bench.mover.sent.length]).toEqual([1, 1]);
  });

  it("does nothing for a message that names another tenant", async () => {
    const minted = await mintTicket(makeAddress());
    const transferId = await queueMove(minted, makeAddress());
    const bench = makeAssetBench([minted]);
    const foreign = { tenantId: crypto.randomUUID(), ticketId: minted.ticketId };
    expect(await bench.consume([foreign])).toMatchObject([{ answer: "ack" }]);
    expect(bench.mover.signed).toEqual([]);
    expect(await findMove(transferId)).toMatchObject({ status: "QUEUED" });
  });

  it("answers each message by itself: an unreadable one is dropped and a failing chain delays, whatever the others do", async () => {
    const [failing, done] = [await mintTicket(makeAddress()), await mintTicket(makeAddress())];
    await queueMove(failing, makeAddress());
    const bench = makeAssetBench([failing, done]);
    bench.mover.failure = new Error("no route to the chain");
    const messages = [failing, done].map(({ sold: { tenantId }, ticketId }) => ({ tenantId, ticketId }));
    const answers = await bench.consume(["nonsense", ...messages, { treeAddress: makeAddress() }]);
    expect(answers.map(({ answer }) => answer)).toEqual(["ack", "retry", "ack", "ack"]);
    expect(bench.logLines.join("\n")).toContain("no route to the chain");
  });

  it("goes on with a tree after one second as long as there is more to read, however often it was delivered", async () => {
    const minted = await mintTicket(makeAddress());
    const bench = makeAssetBench([{ ...minted, state: { ...minted.state, seq: 99, recent: [] } }]);
    const signatures = Array.from({ length: 500 }, (_, at) => `of a stranger ${at}`);
    Object.assign(bench.ctx.trees, {
      listSignatures: () => Promise.resolve(signatures),
      readChanges: () => Promise.resolve([]),
    });
    const answers: unknown[] = [];
    for (const attempts of [1, 9, 10, 11]) answers.push(...(await bench.consume([{ treeAddress: minted.tree }], attempts)));
    expect(answers).toMatchObject([{ delaySeconds: 1 }, { delaySeconds: 1 }, { delaySeconds: 1 }, { answer: "ack" }]);
  });

  it("signs nothing while the wallet is below its floor, uses nothing up, and goes on when it is filled", async () => {
    const minted = await mintTicket(makeAddress());
    const transferId = await queueMove(minted, makeAddress());
    const bench = makeAssetBench([minted]);
    bench.mover.isWalletFunded = false;
    const message = { tenantId: minted.sold.tenantId, ticketId: minted.ticketId };
    for (let delivery = 0; delivery < 9; delivery += 1) {
      expect(await bench.consume([message])).toMatchObject([{ answer: "retry" }]);
    }
    expect(bench.mover.signed).toEqual([]);
    const waiting = { status: "QUEUED", attempts: 0, lastError: "the minting wallet is below its floor" };
    expect(await findMove(transferId)).toMatchObject(waiting);
    bench.mover.isWalletFunded = true;
    await bench.consume([message]);
    expect(await findMove(transferId)).toMatchObject({ status: "SUBMITTED", attempts: 1 });
  });

  it("gives a move up after eight signed transactions, says why, and goes on with the next", async () => {
    const minted = await mintTicket(makeAddress());
    const transferId = await queueMove(minted, makeAddress());
    const bench = makeAssetBench([minted]);
    bench.mover.finalizedBlockHeight = 151;
    const message = { tenantId: minted.sold.tenantId, ticketId: minted.ticketId };
    for (let delivery = 0; delivery < 8; delivery += 1) {
      expect(await bench.consume([message])).toMatchObject([{ answer: "retry" }]);
    }
    expect(await bench.consume([message])).toMatchObject([{ answer: "ack" }]);
    expect(await findMove(transferId)).toMatchObject({ status: "FAILED", attempts: 8, lastError: "expired without landing" });
    const next = await queueMove(minted, null, NOW_MS + 1);
    await bench.consume([message]);
    expect(await findMove(next)).toMatchObject({ status: "SUBMITTED", attempts: 1 });
  });
});

describe("work on an asset in D1", () => {
  it("takes one of two signatures that were decided on the same state, and ends only what was decided on it", async () => {
    const minted = await mintTicket(makeAddress());
    const transferId = await queueMove(minted, makeAddress());
    const { work } = await requireTask(minted.sold.tenantId, minted.ticketId);
    expect(await storeSignedWork(db, work, { ...signed, signature: "first" })).toBe(true);
    expect(await storeSignedWork(db, work, { ...signed, signature: "second" })).toBe(false);
    await failWork(db, work, "decided before", NOW_MS);
    await finishWork(db, work, null, NOW_MS);
    expect(await findMove(transferId)).toMatchObject({ status: "SUBMITTED", signature: "first", attempts: 1 });
  });

  it("takes no signature for a move whose ticket was cancelled meanwhile, and one for its burn", async () => {
    const minted = await mintTicket(makeAddress());
    const { tenantId } = minted.sold;
    const transferId = await queueMove(minted, makeAddress());
    const { work } = await requireTask(tenantId, minted.ticketId);
    await queueBurn(tenantId, minted.ticketId);
    expect(await storeSignedWork(db, work, signed)).toBe(false);
    const bench = makeAssetBench([minted]);
    await bench.consume([{ tenantId, ticketId: minted.ticketId }]);
    expect(await findMove(transferId)).toMatchObject({ status: "FAILED", signature: null });
    expect(await findBurn(minted.ticketId)).toMatchObject({ status: "SUBMITTED", attempts: 1 });
    expect(bench.mover.signed).toHaveLength(1);
  });

  it("leaves a burn open when its ticket's mint was signed while it was being ended", async () => {
    const sold = await sellTickets(db, 1);
    const [ticketId = ""] = sold.ticketIds;
    await queueBurn(sold.tenantId, ticketId);
    const task = await requireTask(sold.tenantId, ticketId);
    await db.update(mintJobs).set({ status: "SUBMITTED", signature: "s" }).where(eq(mintJobs.ticketId, ticketId));
    await endUnminted(db, task, NOW_MS);
    expect(await findBurn(ticketId)).toMatchObject({ status: "QUEUED" });
    expect(await db.select().from(mintJobs).where(eq(mintJobs.ticketId, ticketId)).get()).toMatchObject({
      status: "SUBMITTED",
      signature: "s",
    });
  });

  it("puts a mint that was given up with a signature back to work, so that the chain is asked before the burn ends", async () => {
    const sold = await sellTickets(db, 1);
    const [ticketId = ""] = sold.ticketIds;
    await db.update(mintJobs).set({ status: "FAILED", signature: "s" }).where(eq(mintJobs.ticketId, ticketId));
    await db.update(tickets).set({ status: "CANCELLED" }).where(eq(tickets.id, ticketId));
    await queueBurn(sold.tenantId, ticketId);
    expect(await makeAssetBench().consume([{ tenantId: sold.tenantId, ticketId }])).toMatchObject([{ answer: "retry" }]);
    expect(await db.select().from(mintJobs).where(eq(mintJobs.ticketId, ticketId)).get()).toMatchObject({
      status: "SUBMITTED",
    });
    expect(await findBurn(ticketId)).toMatchObject({ status: "QUEUED" });
  });

  it("completes an order when the last ticket that waits for its mint is cancelled, and not one without any mint", async () => {
    const statusOf = async (orderId: string) => (await db.select().from(orders).where(eq(orders.id, orderId)).get())?.status;
    const sold = await sellTickets(db, 2);
    const [minted = "", cancelled = ""] = sold.ticketIds;
    const done = { status: "MINTED", signature: "s", assetId: "a", leafIndex: 1 } as const;
    await db.update(mintJobs).set(done).where(eq(mintJobs.ticketId, minted));
    await queueBurn(sold.tenantId, cancelled);
    await makeAssetBench().consume([{ tenantId: sold.tenantId, ticketId: cancelled }]);
    expect(await findBurn(cancelled)).toMatchObject({ status: "UNMINTED" });
    expect(await statusOf(sold.orderId)).toBe("COMPLETED");
    const alone = await sellTickets(db, 1);
    await queueBurn(alone.tenantId, alone.ticketIds[0] ?? "");
    await makeAssetBench().consume([{ tenantId: alone.tenantId, ticketId: alone.ticketIds[0] }]);
    expect(await statusOf(alone.orderId)).toBe("AWAITING_MINT");
  });
});

describe("work that was given up", () => {
  it("begins anew when an operator asks for it, but for moves of cancelled tickets and work of others", async () => {
    const giveUp = async (isCancelled: boolean) => {
      const minted = await mintTicket(makeAddress());
      const transferId = await queueMove(minted, makeAddress());
      const given = { status: "FAILED", signature: "ruled out", lastValidBlockHeight: 1, attempts: 8 } as const;
      await db.update(assetMoves).set(given).where(eq(assetMoves.transferId, transferId));
      if (isCancelled) await queueBurn(minted.sold.tenantId, minted.ticketId);
      return { ...minted, transferId };
    };
    const [failed, cancelled] = [await giveUp(false), await giveUp(true)];
    const ask = (tenantId: string, ticketId: string) =>
      requeueFailedWork(db, tenantId, selectTickets({ ticketIds: [ticketId] }), NOW_MS);
    await ask(crypto.randomUUID(), failed.ticketId);
    expect(await findMove(failed.transferId)).toMatchObject({ status: "FAILED" });
    await ask(failed.sold.tenantId, failed.ticketId);
    expect(await findMove(failed.transferId)).toMatchObject({ status: "QUEUED", signature: null, attempts: 0 });
    await ask(cancelled.sold.tenantId, cancelled.ticketId);
    expect(await findMove(cancelled.transferId)).toMatchObject({ status: "FAILED" });
  });
});

describe("the cron's part", () => {
  function collect(nowMs: number) {
    const sent: AssetMessage[] = [];
    const { ctx, logLines } = makeAssetBench();
    const assetQueue = {
      sendBatch(messages: Iterable<{ readonly body: AssetMessage }>) {
        for (const { body } of messages) sent.push(body);
        return Promise.resolve();
      },
    };
    const queue: QueueAssetsContext = { ...ctx, assetQueue, nowMs };
    return { queue, sent, logLines };
  }

  it("sends a message for work that nobody took up and for work that was left, once, and says what waits too long", async () => {
    const fresh = await mintTicket(makeAddress());
    const left = await mintTicket(makeAddress());
    const busy = await mintTicket(makeAddress());
    await queueMove(fresh, makeAddress(), NOW_MS - 1);
    const leftId = await queueMove(left, makeAddress(), NOW_MS - 3_700_000);
    await db
      .update(assetMoves)
      .set({ updatedAtMs: NOW_MS - 700_000 })
      .where(eq(assetMoves.transferId, leftId));
    const busyId = await queueMove(busy, makeAddress(), NOW_MS - 400_000);
    await db
      .update(assetMoves)
      .set({ updatedAtMs: NOW_MS - 60_000 })
      .where(eq(assetMoves.transferId, busyId));
    const burnt = await sellTickets(db, 1);
    await queueBurn(burnt.tenantId, burnt.ticketIds[0] ?? "", NOW_MS - 1);
    const first = collect(NOW_MS);
    await queueWaitingAssets(first.queue);
    const ids = first.sent.flatMap((message) => ("ticketId" in message ? [message.ticketId] : []));
    expect(ids).toEqual(expect.arrayContaining([fresh.ticketId, left.ticketId, burnt.ticketIds[0]]));
    expect(ids).not.toContain(busy.ticketId);
    const stuck = first.logLines.filter((line) => line.includes("asset_work_stuck"));
    expect(stuck.some((line) => line.includes(left.ticketId))).toBe(true);
    expect(stuck.some((line) => line.includes(fresh.ticketId))).toBe(false);
    const second = collect(NOW_MS + 60_000);
    await queueWaitingAssets(second.queue);
    const again = second.sent.flatMap((message) => ("ticketId" in message ? [message.ticketId] : []));
    for (const id of [fresh.ticketId, left.ticketId]) expect(again).not.toContain(id);
  });

  it("sends a message for each tree that is followed or minted into, a tenant's own too, and for none that is not on chain yet", async () => {
    const { tree, sold } = await mintTicket(makeAddress());
    const own = { tenantId: sold.tenantId, depth: 3, bufferSize: 8, canopyDepth: 0, capacity: 8, mintedCount: 0 };
    const [opened, opening] = [makeAddress(), makeAddress()];
    await insertTenantTree(db, { ...own, address: opened, number: 1, status: "OPEN", requestId: null }, NOW_MS);
    await insertTenantTree(db, { ...own, address: opening, number: 2, status: "OPENING", requestId: null }, NOW_MS);
    const { queue, sent } = collect(NOW_MS);
    const count = await queueTrees({ ...queue, defaultTree: "minting" });
    expect(sent).toEqual(expect.arrayContaining(["minting", tree, opened].map((treeAddress) => ({ treeAddress }))));
    expect(sent).not.toContainEqual({ treeAddress: opening });
    expect(count).toBe(sent.length);
  });
});
