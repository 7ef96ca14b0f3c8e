import { beforeEach, describe, expect, it } from "vitest";
import type { TreeFacts } from "#domain/chain-suitability";
import type { TreeMessage } from "#domain/tree-messages";
import { consumeDeadLetters } from "#queues/dead-letter-consumer";
import { advanceOpening } from "#services/trees/advance-opening";
import { chooseTree, noteFullTree, requestNextTree, requestTree } from "#services/trees/choose-tree";
import { keepTrees } from "#services/trees/keep-trees";
import { insertTenantTree, listTenantTrees, raiseMintedCount, retireTree } from "#storage/tenant-trees";
import { NOW_MS, db, findJob, makeMintBench, messagesOf, type MintBench, type ScriptedTrees } from "../support/mint-bench.ts";
import { sellTickets } from "../support/sold-tickets.ts";

const SHAPE = { depth: 5, bufferSize: 8, canopyDepth: 0 };
const CAPACITY = 32;
const FACTS: TreeFacts = {
  ...SHAPE,
  mintedCount: 0,
  creatorAddress: "wallet",
  delegateAddress: "wallet",
  isPublic: false,
  isVersion2: true,
};

let tenantId: string;
let bench: MintBench;
let treeKeeper: ScriptedTrees;

beforeEach(() => {
  tenantId = crypto.randomUUID();
  bench = makeMintBench();
  treeKeeper = bench.treeKeeper;
});

async function addTree(number: number, tenant = tenantId): Promise<string> {
  const address = `${tenant} tree ${number}`;
  const tree = { address, tenantId: tenant, number, ...SHAPE, capacity: CAPACITY, mintedCount: 0, requestId: null };
  expect(await insertTenantTree(db, { ...tree, status: "OPEN" }, NOW_MS)).toBe(true);
  return address;
}

async function statuses(tenant = tenantId): Promise<string[]> {
  return (await listTenantTrees(db, tenant)).map(({ status }) => status);
}

const choose = async () => (await chooseTree({ db, treeKeeper, nowMs: NOW_MS }, tenantId))?.address;

describe("the tree that a tenant's tickets are minted into", () => {
  it("is the one of the configuration for a tenant that has none", async () => {
    expect(await choose()).toBe(treeKeeper.defaultTreeAddress);
  });

  it("is still that one while the first of its own is being made, as long as it has room", async () => {
    await requestTree({ db, treeKeeper, nowMs: NOW_MS }, { tenantId, number: 1, shape: SHAPE, requestId: crypto.randomUUID() });
    treeKeeper.tree = FACTS;
    expect(await choose()).toBe(treeKeeper.defaultTreeAddress);
    for (const unfit of [{ ...FACTS, mintedCount: CAPACITY }, "missing"] as const) {
      treeKeeper.tree = unfit;
      expect(await choose()).toBeUndefined();
    }
  });

  it("is the first of its own, and each of the others waits for its turn", async () => {
    const first = await addTree(1);
    await addTree(2);
    expect(await statuses()).toEqual(["ACTIVE", "OPEN"]);
    expect(await choose()).toBe(first);
  });

  it("is the next one before the last leaf is taken, so that no mint in flight finds a full tree", async () => {
    const first = await addTree(1);
    const second = await addTree(2);
    await raiseMintedCount(db, first, CAPACITY - 2);
    expect(await choose()).toBe(first);
    await raiseMintedCount(db, first, CAPACITY - 1);
    expect(await choose()).toBe(second);
    expect(await statuses()).toEqual(["FULL", "ACTIVE"]);
  });

  it("is filled to the last leaf while there is no other", async () => {
    const only = await addTree(1);
    await raiseMintedCount(db, only, CAPACITY);
    expect(await choose()).toBe(only);
  });

  it("is one and the same for callers that roll over at the same instant", async () => {
    const first = await addTree(1);
    await addTree(2);
    await addTree(3);
    await raiseMintedCount(db, first, CAPACITY);
    const chosen = await Promise.all(Array.from({ length: 6 }, choose));
    expect(new Set(chosen)).toEqual(new Set([`${tenantId} tree 2`]));
    expect(await statuses()).toEqual(["FULL", "ACTIVE", "OPEN"]);
  });

  it("never counts down, whatever news comes late, and never past its room", async () => {
    const first = await addTree(1);
    for (const count of [5, 3]) await raiseMintedCount(db, first, count);
    expect(await listTenantTrees(db, tenantId)).toMatchObject([{ mintedCount: 5 }]);
    await raiseMintedCount(db, first, 99);
    expect(await listTenantTrees(db, tenantId)).toMatchObject([{ mintedCount: CAPACITY }]);
  });

  it("is nobody else's: another tenant's tree is never chosen", async () => {
    await addTree(1, crypto.randomUUID());
    expect(await choose()).toBe(treeKeeper.defaultTreeAddress);
  });
});

describe("a mint whose tree is full", () => {
  it("fails on chain once, and is signed anew for the next tree", async () => {
    const sold = await sellTickets(db, 1);
    const first = await addTree(1, sold.tenantId);
    const second = await addTree(2, sold.tenantId);
    await bench.consume(messagesOf(sold));
    expect(await findJob(sold.ticketIds[0])).toMatchObject({ treeAddress: first });
    treeKeeper.tree = { ...FACTS, mintedCount: CAPACITY };
    bench.minter.seen = "failed";
    bench.minter.error = '{"InstructionError":[2,{"Custom":6017}]}';
    await bench.consume(messagesOf(sold));
    expect(bench.minter.signedFor).toEqual([first, second]);
    expect(await findJob(sold.ticketIds[0])).toMatchObject({ treeAddress: second, attempts: 2, status: "SUBMITTED" });
    expect(await statuses(sold.tenantId)).toEqual(["FULL", "ACTIVE"]);
  });

  it("keeps its signature when only the node complains, but sends no further ticket there", async () => {
    const sold = await sellTickets(db, 2);
    const first = await addTree(1, sold.tenantId);
    const second = await addTree(2, sold.tenantId);
    treeKeeper.tree = { ...FACTS, mintedCount: CAPACITY };
    bench.minter.complaint = 'Transaction simulation failed: {"InstructionError":[2,{"Custom":6017}]}';
    const [one, other] = messagesOf(sold);
    await bench.consume([one]);
    await bench.consume([one]);
    expect(bench.minter.signed).toHaveLength(1);
    await bench.consume([other]);
    expect(bench.minter.signedFor).toEqual([first, second]);
  });

  it("does not believe a node that calls a tree full which the chain shows to have room", async () => {
    const sold = await sellTickets(db, 1);
    await addTree(1, sold.tenantId);
    await addTree(2, sold.tenantId);
    treeKeeper.tree = { ...FACTS, mintedCount: CAPACITY - 1 };
    bench.minter.complaint = "custom program error: 0x1781";
    await bench.consume(messagesOf(sold));
    expect(await statuses(sold.tenantId)).toEqual(["ACTIVE", "OPEN"]);
  });

  it("leaves a tree that has no room for all tickets of a transaction", async () => {
    const ctx = { db, treeKeeper, nowMs: NOW_MS };
    const treeAddress = await addTree(1);
    await addTree(2);
    treeKeeper.tree = { ...FACTS, mintedCount: CAPACITY - 4 };
    const note = (ticketCount: number) => noteFullTree(ctx, { tenantId, treeAddress, ticketCount }, '{"Custom":6017}');
    expect(await note(4)).toBe(false);
    expect(await statuses()).toEqual(["ACTIVE", "OPEN"]);
    expect(await note(5)).toBe(true);
    expect(await statuses()).toEqual(["FULL", "ACTIVE"]);
  });

  it("asks for a tree when there is no other, waits for it unsigned, and goes on in it", async () => {
    const sold = await sellTickets(db, 1);
    const only = await addTree(1, sold.tenantId);
    await bench.consume(messagesOf(sold));
    treeKeeper.tree = { ...FACTS, mintedCount: CAPACITY };
    bench.minter.seen = "failed";
    bench.minter.error = '{"InstructionError":[2,{"Custom":6017}]}';
    await bench.consume(messagesOf(sold));
    expect(await findJob(sold.ticketIds[0])).toMatchObject({ attempts: 1, lastError: "waits for the tenant's next tree" });
    expect(await statuses(sold.tenantId)).toEqual(["FULL", "OPENING"]);
    expect(bench.logLines.join("\n")).toContain("tree_full");
    // However long that takes, the ticket is not given up for it.
    expect(await bench.consume(messagesOf(sold), 1, consumeDeadLetters)).toMatchObject([{ answer: "ack" }]);
    expect(await findJob(sold.ticketIds[0])).toMatchObject({ status: "SUBMITTED", attempts: 1 });
    const next = `${sold.tenantId} tree 2`;
    expect(await advanceOpening({ db, treeKeeper, nowMs: NOW_MS }, { address: next })).toBe("settled");
    await bench.consume(messagesOf(sold));
    expect(bench.minter.signedFor).toEqual([only, next]);
  });

  it("gets the tenant a tree of its own when it was the one of the configuration", async () => {
    const sold = await sellTickets(db, 1);
    await bench.consume(messagesOf(sold));
    treeKeeper.tree = { ...FACTS, mintedCount: CAPACITY };
    bench.minter.seen = "failed";
    bench.minter.error = '{"InstructionError":[2,{"Custom":6017}]}';
    await bench.consume(messagesOf(sold));
    expect(await listTenantTrees(db, sold.tenantId)).toMatchObject([{ number: 1, depth: 14, status: "OPENING" }]);
  });
});

describe("what is minted", () => {
  it("is counted in its tree by the leaf's index, once however often it is told", async () => {
    const sold = await sellTickets(db, 1);
    await addTree(1, sold.tenantId);
    await bench.consume(messagesOf(sold));
    bench.minter.seen = "succeeded";
    bench.minter.leafIndex = 20;
    await bench.consume(messagesOf(sold));
    await bench.consume(messagesOf(sold));
    expect(await listTenantTrees(db, sold.tenantId)).toMatchObject([{ mintedCount: 21 }]);
  });
});

describe("the next tree", () => {
  const keep = (sent: TreeMessage[], nowMs = NOW_MS) =>
    keepTrees({
      db,
      nowMs,
      logger: bench.ctx.logger,
      treeKeeper: () => Promise.resolve(treeKeeper),
      // All that the job uses of the queue.
      chainQueue: {
        sendBatch: (messages: Iterable<{ body: TreeMessage }>) =>
          Promise.resolve(sent.push(...[...messages].map(({ body }) => body))),
      } as unknown as Queue<TreeMessage>,
    });
  const ofTenant = (sent: readonly TreeMessage[]) => sent.filter(({ address }) => address.startsWith(tenantId));

  it("is asked for when the one in use is four fifths full, once, in the same shape", async () => {
    const first = await addTree(1);
    const sent: TreeMessage[] = [];
    await raiseMintedCount(db, first, 25);
    await keep(sent);
    expect(ofTenant(sent)).toEqual([]);
    await raiseMintedCount(db, first, 26);
    await keep(sent);
    await keep(sent);
    expect(ofTenant(sent)).toEqual([{ address: `${tenantId} tree 2` }]);
    expect(await listTenantTrees(db, tenantId)).toMatchObject([{ number: 1 }, { number: 2, ...SHAPE, status: "OPENING" }]);
  });

  it("is sent for again when its message was lost, and opened when it is on chain, not before", async () => {
    await requestNextTree({ db, treeKeeper, nowMs: NOW_MS }, tenantId, { number: 0, shape: SHAPE });
    const sent: TreeMessage[] = [];
    await keep(sent, NOW_MS + 3 * 60_000);
    const [message] = ofTenant(sent);
    expect(message).toEqual({ address: `${tenantId} tree 1` });
    if (message === undefined) return;
    treeKeeper.complaint = "the wallet is empty";
    expect(await advanceOpening({ db, treeKeeper, nowMs: NOW_MS }, message)).toBe("later");
    expect(await listTenantTrees(db, tenantId)).toMatchObject([{ status: "OPENING", lastError: "the wallet is empty" }]);
    expect(await choose()).toBeUndefined();
    await keep([], NOW_MS + 3 * 60_000);
    expect(bench.logLines.join("\n")).toContain("tree_not_made");
    treeKeeper.complaint = null;
    expect(await advanceOpening({ db, treeKeeper, nowMs: NOW_MS }, message)).toBe("settled");
    expect(await listTenantTrees(db, tenantId)).toMatchObject([{ status: "ACTIVE", lastError: null }]);
    expect(await advanceOpening({ db, treeKeeper, nowMs: NOW_MS }, message)).toBe("settled");
    expect(treeKeeper.opened).toHaveLength(2);
  });

  it("is one, however many ask after the same tree, at once and after it is in use", async () => {
    const first = { address: await addTree(1), tenantId };
    const ask = () => requestNextTree({ db, treeKeeper, nowMs: NOW_MS }, tenantId, { number: 1, shape: SHAPE });
    const address = `${tenantId} tree 2`;
    expect(new Set(await Promise.all(Array.from({ length: 5 }, ask)))).toEqual(new Set([address]));
    await retireTree(db, first, NOW_MS);
    await advanceOpening({ db, treeKeeper, nowMs: NOW_MS }, { address });
    expect(await ask()).toBe(address);
    expect(await statuses()).toEqual(["FULL", "ACTIVE"]);
  });

  it("is left alone when another wallet was to make it", async () => {
    const address = "derived from another wallet";
    const tree = { address, tenantId, number: 1, ...SHAPE, capacity: CAPACITY, mintedCount: 0, requestId: null };
    await insertTenantTree(db, { ...tree, status: "OPENING" }, NOW_MS);
    expect(await advanceOpening({ db, treeKeeper, nowMs: NOW_MS }, { address })).toBe("settled");
    expect(treeKeeper.opened).toEqual([]);
  });

  it("takes the lowest number's turn when the one in use is retired, and none when none is open", async () => {
    const first = { address: await addTree(1), tenantId };
    const second = { address: await addTree(2), tenantId };
    await retireTree(db, first, NOW_MS);
    await retireTree(db, first, NOW_MS);
    expect(await statuses()).toEqual(["FULL", "ACTIVE"]);
    await retireTree(db, second, NOW_MS);
    expect(await statuses()).toEqual(["FULL", "FULL"]);
    expect(await choose()).toBeUndefined();
  });
});
