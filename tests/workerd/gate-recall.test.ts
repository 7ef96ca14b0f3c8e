import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { afterEach, describe, expect, it } from "vitest";
import { closeDoors, entryScan, makeDoor, type Door } from "../support/make-door.ts";
import { offerAtDoor, wordOf } from "../support/hand-over-world.ts";

afterEach(closeDoors);

function newIds(count: number): string[] {
  return Array.from({ length: count }, () => crypto.randomUUID());
}

function recall(door: Door, ticketIds: readonly string[]): Promise<boolean> {
  return door.gate.recall({ tenantId: door.tenantId, ticketIds, reason: "canceled", actor: "test" });
}

let lastVersion = 0;

/** Each is newer than the one before, unless the test says which it is. */
function block(door: Door, ticketIds: readonly string[], isBlocked = true, version?: number): Promise<boolean> {
  lastVersion += 1;
  return door.gate.block({ tenantId: door.tenantId, ticketIds, isBlocked, version: version ?? lastVersion, actor: "test" });
}

async function reasonsOf(door: Door, ticketIds: readonly string[], force = false): Promise<unknown[]> {
  const answers = await Promise.all(ticketIds.map((ticketId) => door.gate.admit(entryScan(door, { ticketId, force }))));
  return answers.map((answer) => answer?.reason);
}

describe("a recall", () => {
  it("kills every ticket of it before its caller is told, and they stay dead when the object is evicted", async () => {
    const door = await makeDoor();
    const tickets = newIds(3);
    expect(await recall(door, tickets.slice(0, 2))).toBe(true);
    expect(await reasonsOf(door, tickets, true)).toEqual(["canceled", "canceled", null]);
    await evictDurableObject(door.gate);
    expect(await reasonsOf(door, tickets.slice(0, 2), true)).toEqual(["canceled", "canceled"]);
    const newest = entryScan(door, { ticketId: tickets[0] ?? "", credentialEpoch: 65_535 });
    expect(await door.gate.admit(newest)).toMatchObject({ reason: "canceled" });
  });

  it("of many tickets is one commit, and a repeat keeps who recalled them first, and when", async () => {
    const door = await makeDoor();
    const tickets = newIds(100);
    await runInDurableObject(door.gate, async (gate, state) => {
      const commit = state.storage.transactionSync.bind(state.storage);
      let commits = 0;
      state.storage.transactionSync = (work) => {
        commits += 1;
        return commit(work);
      };
      const command = { tenantId: door.tenantId, ticketIds: tickets, reason: "canceled" as const };
      await gate.recall({ ...command, actor: "first" });
      expect(commits).toBe(1);
      const kept = state.storage.sql.exec("SELECT * FROM revocations").toArray();
      expect(kept).toHaveLength(100);
      await gate.recall({ ...command, actor: "second" });
      expect(state.storage.sql.exec("SELECT * FROM revocations").toArray()).toEqual(kept);
    });
  });

  it("finds its tickets whether they were never seen, are inside, or have changed hands", async () => {
    const door = await makeDoor();
    const [inside = "", passedOn = ""] = newIds(2);
    await door.gate.admit(entryScan(door, { ticketId: inside }));
    await door.gate.handOver({ tenantId: door.tenantId, ticketId: passedOn, toEpoch: 1, actor: "test" });
    await recall(door, [inside, passedOn]);
    expect(await reasonsOf(door, [inside, passedOn])).toEqual(["canceled", "canceled"]);
    expect(await door.gate.admit(entryScan(door, { ticketId: passedOn, credentialEpoch: 1 }))).toMatchObject({
      reason: "canceled",
    });
    expect(await door.gate.admit(entryScan(door, { ticketId: inside, type: "exit" }))).toMatchObject({ result: "admitted" });
  });

  it("and a scan at the same instant have one winner, the one that the gate hears first", async () => {
    const door = await makeDoor();
    for (const isScanFirst of [true, false]) {
      const [ticketId = ""] = newIds(1);
      const acts = [() => reasonsOf(door, [ticketId]), () => recall(door, [ticketId])];
      const [scanned] = isScanFirst
        ? await Promise.all(acts.map((act) => act()))
        : (await Promise.all(acts.toReversed().map((act) => act()))).toReversed();
      expect(scanned).toEqual([isScanFirst ? null : "canceled"]);
      // Whoever won, nobody comes in by that ticket from now on.
      expect(await reasonsOf(door, [ticketId], true)).toEqual(["canceled"]);
    }
  });
});

describe("a block", () => {
  it("keeps its tickets out, force included, survives eviction, and leaves others alone", async () => {
    const door = await makeDoor();
    const tickets = newIds(3);
    expect(await block(door, tickets.slice(0, 2))).toBe(true);
    await evictDurableObject(door.gate);
    expect(await reasonsOf(door, tickets)).toEqual(["blocked", "blocked", null]);
    expect(await reasonsOf(door, tickets.slice(0, 2), true)).toEqual(["blocked", "blocked"]);
    expect(await door.gate.preview(entryScan(door, { ticketId: tickets[0] ?? "" }))).toMatchObject({ reason: "blocked" });
  });

  it("when lifted gives the ticket back as it was: inside or not, and with the credential it had", async () => {
    const door = await makeDoor();
    const [fresh = "", inside = "", passedOn = ""] = newIds(3);
    await door.gate.admit(entryScan(door, { ticketId: inside }));
    await door.gate.handOver({ tenantId: door.tenantId, ticketId: passedOn, toEpoch: 1, actor: "test" });
    for (const isBlocked of [true, true, false, false]) await block(door, [fresh, inside, passedOn], isBlocked);
    expect(await reasonsOf(door, [fresh, inside, passedOn])).toEqual([null, "already_redeemed", "revoked"]);
    expect(await door.gate.admit(entryScan(door, { ticketId: passedOn, credentialEpoch: 1 }))).toMatchObject({
      result: "admitted",
    });
  });

  it("that comes late, after it was lifted, keeps nobody out", async () => {
    const door = await makeDoor();
    const tickets = newIds(2);
    await block(door, tickets, true, 1);
    await block(door, tickets, false, 3);
    await evictDurableObject(door.gate);
    await Promise.all([block(door, tickets, true, 1), block(door, tickets.slice(1), true, 4), block(door, tickets, true, 2)]);
    expect(await reasonsOf(door, tickets)).toEqual([null, "blocked"]);
  });

  it("lets out whoever is inside, and keeps them out then", async () => {
    const door = await makeDoor();
    const [ticketId = ""] = newIds(1);
    await door.gate.admit(entryScan(door, { ticketId }));
    await block(door, [ticketId]);
    expect(await door.gate.admit(entryScan(door, { ticketId, type: "exit" }))).toMatchObject({ result: "admitted" });
    expect(await reasonsOf(door, [ticketId])).toEqual(["blocked"]);
  });

  it("lifted does not revive a ticket that was recalled meanwhile", async () => {
    const door = await makeDoor();
    const tickets = newIds(1);
    await block(door, tickets);
    await recall(door, tickets);
    await block(door, tickets, false);
    expect(await reasonsOf(door, tickets, true)).toEqual(["canceled"]);
  });

  it("and a scan at the same instant have one winner, the one that the gate hears first", async () => {
    const door = await makeDoor();
    const [before = "", after = ""] = newIds(2);
    const [scannedBefore, , scannedAfter] = await Promise.all([
      reasonsOf(door, [before]),
      block(door, [before, after]),
      reasonsOf(door, [after]),
    ]);
    expect([scannedBefore, scannedAfter]).toEqual([[null], ["blocked"]]);
  });

  it("ends an offer that is being accepted, and the ticket stays with who offered it", async () => {
    const world = await offerAtDoor();
    const { door, ticketId } = world;
    await block(door, [ticketId]);
    expect(wordOf(await world.accept())).toBe("ticket_not_valid");
    expect(await world.readTransfer()).toMatchObject({ status: "CANCELLED", cause: "ticket_recalled" });
    await block(door, [ticketId], false);
    expect(await world.scan(0)).toMatchObject({ result: "admitted" });
  });
});

it("asks as many statements for a scan with blocks and recalls as without", async () => {
  const door = await makeDoor();
  const [dead = "", blocked = ""] = newIds(2);
  await recall(door, [dead]);
  await block(door, [blocked]);
  const counts = await runInDurableObject(door.gate, async (gate, state) => {
    const { sql } = state.storage;
    const run = sql.exec.bind(sql);
    const statements: string[] = [];
    sql.exec = (query, ...bindings) => {
      statements.push(query);
      return run(query, ...bindings);
    };
    const counted: number[] = [];
    for (const ticketId of [crypto.randomUUID(), dead, blocked]) {
      statements.length = 0;
      await gate.preview(entryScan(door, { ticketId }));
      counted.push(statements.length);
    }
    return counted;
  });
  expect(counts).toEqual([2, 2, 2]);
});
