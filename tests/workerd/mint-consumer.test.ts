import { env } from "cloudflare:workers";
import { drizzle } from "drizzle-orm/d1";
import { eq } from "drizzle-orm";
import { beforeEach, describe, expect, it } from "vitest";
import type { Minter } from "#chain/minter";
import { MAX_SIGNED_TRANSACTIONS, type ChainObservation } from "#domain/mint";
import type { MintMessage } from "#domain/order-messages";
import type { Logger } from "#platform/logger";
import { consumeDeadLetters } from "#queues/dead-letter-consumer";
import { consumeMints, type MintConsumerContext } from "#queues/mint-consumer";
import { findMint } from "#services/mint/find-mint";
import { listMintJobs } from "#services/mint/list-mint-jobs";
import { findNftMetadata } from "#services/mint/nft-metadata";
import { queueMint, type MintQueue } from "#services/mint/queue-mint";
import { requeueStaleMints } from "#services/mint/requeue-stale-mints";
import { storeMintFailure, storeMinted } from "#storage/mint-jobs";
import { mintJobs, orders, tickets } from "#storage/schema";
import { sellTickets, type SoldTickets } from "../support/sold-tickets.ts";

const db = drizzle(env.DB);
const NOW_MS = 1_800_000_000_000;
const COLLECTION = "CoLLection1111111111111111111111111111111111";

interface Answer {
  readonly ticketId: string;
  readonly answer: "ack" | "retry";
  readonly delaySeconds: number | undefined;
}

/** A chain in a few variables: what it says of any signature, and what was asked of it. */
class ScriptedMinter implements Minter {
  readonly walletAddress = "wallet";
  readonly signed: string[] = [];
  readonly sent: string[] = [];
  seen: ChainObservation["seen"] = "unknown";
  finalizedBlockHeight = 0;
  complaint: string | null = null;
  failure: Error | undefined;

  ensureCollection(): Promise<{ address: string; isReady: boolean }> {
    return this.failure === undefined ? Promise.resolve({ address: COLLECTION, isReady: true }) : Promise.reject(this.failure);
  }
  signMint({ ticketId }: { ticketId: string }) {
    const signature = `${ticketId} signature ${this.signed.length}`;
    this.signed.push(signature);
    return Promise.resolve({ signature, wireBase64: `wire of ${signature}`, lastValidBlockHeight: 150 });
  }
  sendMint(wireBase64: string): Promise<string | null> {
    this.sent.push(wireBase64);
    return Promise.resolve(this.complaint);
  }
  observe(): Promise<ChainObservation> {
    return Promise.resolve({ seen: this.seen, finalizedBlockHeight: this.finalizedBlockHeight, error: null });
  }
  findMintedLeaf() {
    return Promise.resolve({ assetId: "asset", leafIndex: 7 });
  }
}

const logLines: string[] = [];
const note = (message: string, fields?: object): void => void logLines.push(`${message} ${JSON.stringify(fields ?? {})}`);
const logger: Logger = { debug: note, info: note, warn: note, error: note, with: () => logger };

let minter: ScriptedMinter;
let ctx: MintConsumerContext;

beforeEach(() => {
  minter = new ScriptedMinter();
  ctx = { db, minter, logger, nowMs: NOW_MS, publicBaseUrl: "https://tickets.test" };
  logLines.length = 0;
});

/** A queue that only remembers what it was given. */
function collectInto(sent: MintMessage[]): MintQueue {
  return {
    sendBatch(messages) {
      for (const { body } of messages) sent.push(body);
      return Promise.resolve();
    },
  };
}

function makeBatch(bodies: readonly unknown[], attempts = 1): { batch: MessageBatch; answers: Answer[] } {
  const answers: Answer[] = [];
  const messages = bodies.map((body, index) => {
    const ticketId = (body as Partial<MintMessage> | null)?.ticketId ?? "";
    return {
      id: String(index),
      timestamp: new Date(NOW_MS),
      body,
      attempts,
      ack: () => void answers.push({ ticketId, answer: "ack", delaySeconds: undefined }),
      retry: (options?: QueueRetryOptions) => void answers.push({ ticketId, answer: "retry", delaySeconds: options?.delaySeconds }),
    };
  });
  // The consumers use a batch's messages and name only.
  return { batch: { queue: "mint", messages } as unknown as MessageBatch, answers };
}

async function consume(bodies: readonly unknown[], attempts = 1, consumer = consumeMints): Promise<Answer[]> {
  const { batch, answers } = makeBatch(bodies, attempts);
  await consumer(ctx, batch);
  return answers;
}

const messagesOf = (sold: SoldTickets): MintMessage[] => sold.ticketIds.map((ticketId) => ({ ticketId, tenantId: sold.tenantId }));
const jobOf = async (ticketId: string) => db.select().from(mintJobs).where(eq(mintJobs.ticketId, ticketId)).get();
const orderStatusOf = async (orderId: string) => (await db.select().from(orders).where(eq(orders.id, orderId)).get())?.status;
const principalOf = (sold: SoldTickets, role: "user" | "admin" = "user") => ({ tenantId: sold.tenantId, userId: sold.userId, role, permissions: [] });

describe("the mint queue's consumer", () => {
  it("brings a message back after a growing delay until its ticket is minted, then acknowledges it", async () => {
    const sold = await sellTickets(db, 1);
    const [message] = messagesOf(sold);
    expect(await consume([message], 1)).toMatchObject([{ answer: "retry", delaySeconds: 1 }]);
    minter.seen = "in_flight";
    expect(await consume([message], 2)).toMatchObject([{ answer: "retry", delaySeconds: 2 }]);
    minter.seen = "succeeded";
    expect(await consume([message], 3)).toMatchObject([{ answer: "ack" }]);
    expect(await jobOf(message?.ticketId ?? "")).toMatchObject({ status: "MINTED", assetId: "asset", leafIndex: 7, mintedAtMs: NOW_MS, attempts: 1 });
    expect(await orderStatusOf(sold.orderId)).toBe("COMPLETED");
    expect(await consume([message], 4)).toMatchObject([{ answer: "ack" }]);
    expect(minter.signed).toHaveLength(1);
  });

  it("keeps a message whose job has not reached D1 yet", async () => {
    const unknown = { ticketId: crypto.randomUUID(), tenantId: crypto.randomUUID() };
    expect(await consume([unknown], 7)).toMatchObject([{ answer: "retry", delaySeconds: 60 }]);
    expect(minter.signed).toEqual([]);
  });

  it("does not mint a ticket for a message that names another tenant", async () => {
    const sold = await sellTickets(db, 1);
    const foreign = { ticketId: sold.ticketIds[0], tenantId: crypto.randomUUID() };
    expect(await consume([foreign])).toMatchObject([{ answer: "retry" }]);
    expect(minter.signed).toEqual([]);
  });

  it("answers each message by itself: an unreadable one is dropped and a failing chain delays, whatever the others do", async () => {
    const minted = await sellTickets(db, 1);
    await consume(messagesOf(minted));
    minter.seen = "succeeded";
    minter.failure = new Error("no route to the chain");
    const waiting = await sellTickets(db, 1);
    const answers = await consume(["nonsense", ...messagesOf(minted), ...messagesOf(waiting)]);
    expect(answers.find(({ ticketId }) => ticketId === minted.ticketIds[0])).toMatchObject({ answer: "ack" });
    expect(answers.find(({ ticketId }) => ticketId === waiting.ticketIds[0])).toMatchObject({ answer: "retry" });
    expect(answers.find(({ ticketId }) => ticketId === "")).toMatchObject({ answer: "ack" });
    expect(logLines.join("\n")).toContain("no route to the chain");
  });

  it("stores the signature of only one of many deliveries at the same instant, and sends only that", async () => {
    const sold = await sellTickets(db, 1);
    const copies = Array.from({ length: 5 }, () => messagesOf(sold)[0]);
    await consume(copies);
    expect(minter.signed).toHaveLength(5);
    const job = await jobOf(sold.ticketIds[0] ?? "");
    expect(minter.sent).toEqual([job?.wireBase64]);
    expect(job?.attempts).toBe(1);
  });

  it("records what the node complained of, and lets it decide nothing", async () => {
    const sold = await sellTickets(db, 1);
    minter.complaint = "insufficient funds";
    await consume(messagesOf(sold));
    expect(await jobOf(sold.ticketIds[0] ?? "")).toMatchObject({ status: "SUBMITTED", lastError: "insufficient funds" });
  });

  it("completes an order only when every ticket bought is in D1 and minted", async () => {
    const sold = await sellTickets(db, 2);
    const late = sold.ticketIds[1] ?? "";
    const lateTicket = await db.select().from(tickets).where(eq(tickets.id, late)).get();
    const lateJob = await jobOf(late);
    await db.delete(mintJobs).where(eq(mintJobs.ticketId, late));
    await db.delete(tickets).where(eq(tickets.id, late));
    await consume(messagesOf(sold).slice(0, 1));
    minter.seen = "succeeded";
    await consume(messagesOf(sold).slice(0, 1));
    expect(await orderStatusOf(sold.orderId)).toBe("AWAITING_MINT");
    if (lateTicket === undefined || lateJob === undefined) throw new Error("the second ticket was not sold");
    await db.insert(tickets).values(lateTicket);
    await db.insert(mintJobs).values(lateJob);
    await consume(messagesOf(sold).slice(1));
    await consume(messagesOf(sold).slice(1));
    expect(await orderStatusOf(sold.orderId)).toBe("COMPLETED");
  });

  it("never lowers an order: one refunded meanwhile stays refunded", async () => {
    const sold = await sellTickets(db, 1);
    const task = { tenantId: sold.tenantId, ticketId: sold.ticketIds[0] ?? "", orderId: sold.orderId, signature: null };
    await db.update(orders).set({ status: "REFUNDED" }).where(eq(orders.id, sold.orderId));
    await storeMintFailure(db, task, "boom", NOW_MS);
    await storeMinted(db, task, { signature: "s", assetId: "a", leafIndex: 1, nowMs: NOW_MS });
    expect(await orderStatusOf(sold.orderId)).toBe("REFUNDED");
  });
});

describe("giving a mint up, and taking it up again", () => {
  it("marks job and order, keeps the signature, and finds the ticket minted after all when it is queued again", async () => {
    const sold = await sellTickets(db, 1);
    const [message] = messagesOf(sold);
    await consume([message]);
    expect(await consume([message], 1, consumeDeadLetters)).toMatchObject([{ answer: "ack" }]);
    const failed = await jobOf(message?.ticketId ?? "");
    expect(failed).toMatchObject({ status: "FAILED", signature: minter.signed[0], lastError: "given up: not final after the last delivery" });
    expect(await orderStatusOf(sold.orderId)).toBe("MINT_FAILED");

    const sent: MintMessage[] = [];
    const mintQueue = collectInto(sent);
    const queued = await queueMint({ db, mintQueue, nowMs: NOW_MS }, sold.tenantId, { orderId: sold.orderId });
    expect(queued).toEqual({ ok: true, value: { items: [{ ticketId: message?.ticketId, status: "SUBMITTED" }] } });
    expect(sent).toEqual([message]);
    minter.seen = "succeeded";
    await consume(sent);
    expect(minter.signed).toHaveLength(1);
    expect(await jobOf(message?.ticketId ?? "")).toMatchObject({ status: "MINTED" });
    expect(await orderStatusOf(sold.orderId)).toBe("COMPLETED");
  });

  it("does not fail a dead letter whose ticket is on the chain already", async () => {
    const sold = await sellTickets(db, 1);
    await consume(messagesOf(sold));
    minter.seen = "succeeded";
    await consume(messagesOf(sold), 1, consumeDeadLetters);
    expect(await jobOf(sold.ticketIds[0] ?? "")).toMatchObject({ status: "MINTED" });
  });

  it("fails a dead letter when the chain can't be reached either, with the reason and without any SQL", async () => {
    const sold = await sellTickets(db, 1);
    minter.failure = new Error("outer", { cause: new Error("no route to the chain") });
    await consume(messagesOf(sold), 1, consumeDeadLetters);
    expect(await jobOf(sold.ticketIds[0] ?? "")).toMatchObject({ status: "FAILED", lastError: "given up: no route to the chain" });
  });

  it("fails after eight expired transactions and signs afresh when it is queued again", async () => {
    const sold = await sellTickets(db, 1);
    minter.finalizedBlockHeight = 151;
    for (let signed = 0; signed <= MAX_SIGNED_TRANSACTIONS; signed += 1) await consume(messagesOf(sold));
    expect(await jobOf(sold.ticketIds[0] ?? "")).toMatchObject({ status: "FAILED", attempts: MAX_SIGNED_TRANSACTIONS, lastError: "expired without landing" });
    const mintQueue = collectInto([]);
    await queueMint({ db, mintQueue, nowMs: NOW_MS }, sold.tenantId, { ticketIds: sold.ticketIds });
    await consume(messagesOf(sold));
    expect(await jobOf(sold.ticketIds[0] ?? "")).toMatchObject({ status: "SUBMITTED", attempts: 1 });
  });

  it("answers not_found for another tenant's tickets and leaves minted ones alone", async () => {
    const sold = await sellTickets(db, 1);
    const mintQueue: MintQueue = { sendBatch: () => Promise.reject(new Error("nothing is to be sent")) };
    const foreign = await queueMint({ db, mintQueue, nowMs: NOW_MS }, crypto.randomUUID(), { ticketIds: sold.ticketIds });
    expect(foreign).toMatchObject({ ok: false, failure: { code: "not_found" } });
    await consume(messagesOf(sold));
    minter.seen = "succeeded";
    await consume(messagesOf(sold));
    const again = await queueMint({ db, mintQueue, nowMs: NOW_MS }, sold.tenantId, { ticketIds: sold.ticketIds });
    expect(again).toEqual({ ok: true, value: { items: [{ ticketId: sold.ticketIds[0], status: "MINTED" }] } });
  });

  it("sends the message of a job that nobody has touched for ten minutes, and of no other", async () => {
    const sold = await sellTickets(db, 2);
    const sent: MintMessage[] = [];
    const mintQueue = collectInto(sent);
    await db.update(mintJobs).set({ updatedAtMs: NOW_MS }).where(eq(mintJobs.ticketId, sold.ticketIds[1] ?? ""));
    await requeueStaleMints({ db, mintQueue, nowMs: NOW_MS });
    const mine = sent.filter(({ tenantId }) => tenantId === sold.tenantId);
    expect(mine).toEqual([{ ticketId: sold.ticketIds[0], tenantId: sold.tenantId }]);
  });
});

describe("reading mints", () => {
  const noDesk = (): never => {
    throw new Error("D1 has the job: no desk is to be asked");
  };

  it("shows a ticket's mint to its owner, hides it from others, and tells of one that only the desk has", async () => {
    const sold = await sellTickets(db, 1);
    const ticketId = sold.ticketIds[0] ?? "";
    expect(await findMint({ db, desk: noDesk, principal: principalOf(sold) }, ticketId)).toMatchObject({ ok: true, value: { ticketId, status: "QUEUED" } });
    const emptyDesk = () => ({ findTicket: () => Promise.resolve(undefined) }) as unknown as ReturnType<Parameters<typeof findMint>[0]["desk"]>;
    const stranger = { ...principalOf(sold), userId: crypto.randomUUID() };
    expect(await findMint({ db, desk: emptyDesk, principal: stranger }, ticketId)).toMatchObject({ ok: false, failure: { code: "not_found" } });
    const fresh = crypto.randomUUID();
    const desk = () =>
      ({ findTicket: () => Promise.resolve({ id: fresh, ownerUserId: sold.userId, createdAtMs: 5 }) }) as unknown as ReturnType<Parameters<typeof findMint>[0]["desk"]>;
    expect(await findMint({ db, desk, principal: principalOf(sold) }, fresh)).toMatchObject({ ok: true, value: { status: "QUEUED", queuedAtMs: 5 } });
    expect(await findMint({ db, desk, principal: stranger }, fresh)).toMatchObject({ ok: false });
  });

  it("lists a tenant's jobs in one status page by page, each once", async () => {
    const sold = await sellTickets(db, 5);
    const seen: string[] = [];
    let cursor: string | null = null;
    do {
      const page: Awaited<ReturnType<typeof listMintJobs>> = await listMintJobs({ db, principal: principalOf(sold, "admin") }, { status: "QUEUED", limit: 2, cursor });
      seen.push(...page.items.map(({ ticketId }) => ticketId));
      cursor = page.nextCursor;
    } while (cursor !== null);
    expect(seen.toSorted()).toEqual(sold.ticketIds.toSorted());
  });

  it("describes a ticket for its leaf without a word about its owner", async () => {
    const sold = await sellTickets(db, 1);
    const metadata = await findNftMetadata({ db }, sold.ticketIds[0] ?? "");
    expect(metadata).toMatchObject({ ok: true, value: { name: "Night of the Lamps · Standing", symbol: "TICKET" } });
    expect(JSON.stringify(metadata)).not.toContain(sold.userId);
    expect(await findNftMetadata({ db }, crypto.randomUUID())).toMatchObject({ ok: false, failure: { code: "not_found" } });
  });
});
