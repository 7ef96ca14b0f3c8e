import { env } from "cloudflare:workers";
import { drizzle } from "drizzle-orm/d1";
import { afterEach, describe, expect, it } from "vitest";
import { sweepTransfers } from "#services/transfer/sweep-transfers";
import { claimTransfer } from "#storage/transfer-acceptance";
import { closeDoors } from "../support/make-door.ts";
import { crashAt, offerAtDoor, STEPS, wordOf, type HandOverWorld, type Intrusion } from "../support/hand-over-world.ts";

afterEach(closeDoors);

interface End {
  readonly owner: "sender" | "recipient" | "other";
  readonly epoch: unknown;
  readonly transfer: unknown;
  readonly cause: unknown;
}

async function endOf(world: HandOverWorld): Promise<End> {
  const ticket = await world.door.findTicket(world.ticketId);
  const transfer = await world.readTransfer();
  const ownerUserId = ticket?.["owner_user_id"];
  const owner = ownerUserId === world.sender.userId ? "sender" : ownerUserId === world.recipient.userId ? "recipient" : "other";
  return { owner, epoch: ticket?.["credential_epoch"], transfer: transfer?.["status"], cause: transfer?.["cause"] };
}

const ACCEPTED: End = { owner: "recipient", epoch: 1, transfer: "ACCEPTED", cause: null };
const USED_FIRST: End = { owner: "sender", epoch: 0, transfer: "CANCELLED", cause: "ticket_used" };

describe("accepts at the same instant", () => {
  it("by one recipient, twenty times, change the owner once, and one of them is told so", async () => {
    const world = await offerAtDoor();
    const results = await Promise.all(Array.from({ length: 20 }, () => world.accept()));
    expect(results.map(wordOf).toSorted()).toEqual(["ok", ...Array.from({ length: 19 }, () => "transfer_not_pending")]);
    expect(await endOf(world)).toEqual(ACCEPTED);
  });

  it("by two people who prove the same address have one winner, who owns the ticket", async () => {
    for (let round = 0; round < 10; round += 1) {
      const world = await offerAtDoor("both@example.org");
      const rival = { ...world.recipient, userId: crypto.randomUUID() };
      const people = round % 2 === 0 ? [world.recipient, rival] : [rival, world.recipient];
      const results = await Promise.all(people.map((person) => world.accept([], person)));
      expect(results.map(wordOf).toSorted()).toEqual(["ok", "transfer_not_pending"]);
      const winner = people[results.findIndex(({ ok }) => ok)];
      expect(await world.door.findTicket(world.ticketId)).toMatchObject({
        owner_user_id: winner?.userId,
        status: "TRANSFERRED",
        credential_epoch: 1,
      });
      expect(await world.readTransfer()).toMatchObject({ status: "ACCEPTED", to_user_id: winner?.userId });
    }
  });

  it("find one offer to claim, and the claim stays with who made it", async () => {
    const world = await offerAtDoor("both@example.org");
    const claim = (userId: string): Promise<boolean> =>
      claimTransfer(drizzle(env.DB), {
        tenantId: world.door.tenantId,
        id: world.transferId,
        userId,
        walletAddress: null,
        nowMs: Date.now(),
      });
    const claims = await Promise.all(["one", "two", "three"].map(claim));
    expect(claims.filter(Boolean)).toHaveLength(1);
    const winner = ["one", "two", "three"][claims.indexOf(true)];
    expect(await claim(winner ?? "")).toBe(false);
    expect(await world.readTransfer()).toMatchObject({ claimed_by_user_id: winner, status: "PENDING" });
  });

  it("and a cancel and a decline have one winner", async () => {
    const ends = new Set<string>();
    for (let round = 0; round < 12; round += 1) {
      const world = await offerAtDoor();
      const acts = [() => world.accept(), () => world.cancel(), () => world.decline()];
      const turned = [...acts.slice(round % 3), ...acts.slice(0, round % 3)];
      const results = await Promise.all(turned.map((act) => act()));
      expect(results.map(wordOf).toSorted()).toEqual(["ok", "transfer_not_pending", "transfer_not_pending"]);
      const end = await endOf(world);
      ends.add(String(end.transfer));
      const isAccepted = end.transfer === "ACCEPTED";
      expect(end).toMatchObject(isAccepted ? ACCEPTED : { owner: "sender", epoch: 0 });
      expect((await world.scan(0)).reason).toBe(isAccepted ? "revoked" : null);
    }
    expect(ends.size).toBeGreaterThan(1);
  });
});

describe("an accept that races a scan of the old code", () => {
  const placed: readonly (readonly [string, Pick<Intrusion, "step" | "when">, End])[] = [
    ["after its claim and before the gate", { step: "gate", when: "before" }, USED_FIRST],
    ["after the gate and before the desk", { step: "gate", when: "after" }, ACCEPTED],
    ["before D1", { step: "d1", when: "before" }, ACCEPTED],
    ["after D1 and before its answer", { step: "d1", when: "after" }, ACCEPTED],
  ];

  it.each(placed)("%s has one winner, and the history says which", async (_, place, end) => {
    const world = await offerAtDoor();
    const scans: Awaited<ReturnType<HandOverWorld["scan"]>>[] = [];
    const accepted = await world.accept([{ ...place, act: async () => scans.push(await world.scan(0)) }]);
    expect(scans).toHaveLength(1);
    const isScanned = end === USED_FIRST;
    expect([wordOf(accepted), scans[0]?.reason]).toEqual(isScanned ? ["ticket_not_valid", null] : ["ok", "revoked"]);
    expect(await endOf(world)).toEqual(end);
    // Whoever won can go in with a code of their own, or is in.
    expect((await world.scan(isScanned ? 0 : 1)).reason).toBe(isScanned ? "already_redeemed" : null);
    await world.door.flush();
    expect(await world.door.findTicket(world.ticketId)).toMatchObject({ status: "USED" });
    expect((await world.door.listValidations()).map((row) => row["reason"])).toEqual(
      isScanned ? [null, "already_redeemed"] : ["revoked", null],
    );
  });

  it("at the same instant has exactly one winner each time, whichever the gate hears first", async () => {
    const winners = { accept: 0, scan: 0 };
    for (let round = 0; round < 60; round += 1) {
      const world = await offerAtDoor();
      const when = round % 3 === 2 ? "after" : "before";
      let scanning: ReturnType<HandOverWorld["scan"]> | undefined;
      const startScan = async (): Promise<void> => {
        scanning = round % 3 === 0 ? world.scan(0) : scheduler.wait(0).then(() => world.scan(0));
      };
      const accepted = await world.accept([{ step: "gate", when, act: startScan }]);
      const scanned = await scanning;
      const isScanned = scanned?.result === "admitted";
      expect([accepted.ok, isScanned]).toEqual([!isScanned, !accepted.ok]);
      expect(await endOf(world)).toEqual(isScanned ? USED_FIRST : ACCEPTED);
      if (!isScanned) expect(scanned?.reason).toBe("revoked");
      winners[isScanned ? "scan" : "accept"] += 1;
    }
    expect(Math.min(winners.accept, winners.scan)).toBeGreaterThan(0);
  });

  it("would have two winners if the gate were only asked before it is told, so the tests above can fail", async () => {
    const { door, ticketId, sender, scan } = await offerAtDoor();
    const command = { tenantId: door.tenantId, ticketId, toEpoch: 1, actor: sender.userId };
    const isFree = (await door.gate.previewHandOver(command)) === "done";
    const scanned = await scan(0);
    const isTold = await door.gate.recall({ ...command, ticketIds: [ticketId], reason: "canceled" });
    expect([isFree, scanned.result, isTold]).toEqual([true, "admitted", true]);
  });
});

describe("an acceptance that a crash left half-way", () => {
  const crashes = STEPS.flatMap((step) => (["before", "after"] as const).map((when) => [when, step] as const));

  it.each(crashes)("%s its call to the %s is completed by its recipient's repeat", async (when, step) => {
    const world = await offerAtDoor();
    await expect(world.accept([crashAt(step, when)])).rejects.toThrow("crash");
    const isDone = step === "d1" && when === "after";
    // Nobody else can settle it meanwhile, or the ticket could be dead for both.
    for (const end of [await world.cancel(), await world.decline()]) expect(wordOf(end)).toBe("transfer_not_pending");
    expect(wordOf(await world.accept())).toBe(isDone ? "transfer_not_pending" : "ok");
    expect(await endOf(world)).toEqual(ACCEPTED);
    expect([(await world.scan(0)).reason, (await world.scan(1)).reason]).toEqual(["revoked", null]);
  });

  it.each(crashes)("%s its call to the %s is completed by the cron", async (when, step) => {
    const world = await offerAtDoor();
    await expect(world.accept([crashAt(step, when)])).rejects.toThrow("crash");
    await world.sweep();
    expect(await endOf(world)).toEqual(ACCEPTED);
    expect([(await world.scan(0)).reason, (await world.scan(1)).reason]).toEqual(["revoked", null]);
    await world.sweep();
    expect(await endOf(world)).toEqual(ACCEPTED);
  });

  it("and whose ticket went in before the gate heard of it ends as used, with its owner inside", async () => {
    const world = await offerAtDoor();
    await expect(world.accept([crashAt("gate", "before")])).rejects.toThrow("crash");
    expect((await world.scan(0)).result).toBe("admitted");
    await world.sweep();
    expect(await endOf(world)).toEqual(USED_FIRST);
    expect(wordOf(await world.accept())).toBe("transfer_not_pending");
  });

  it("that cannot be completed stands behind the others the next time", async () => {
    const world = await offerAtDoor();
    await expect(world.accept([crashAt("gate", "before")])).rejects.toThrow("crash");
    const claimedAtMs = Number((await world.readTransfer())?.["claimed_at_ms"]);
    const nowMs = claimedAtMs + 60_000;
    await sweepTransfers({ ...world.contextOf(world.sender, [crashAt("gate", "before")]), nowMs });
    expect(await world.readTransfer()).toMatchObject({ status: "PENDING", claimed_at_ms: nowMs });
    await world.sweep();
    expect(await world.readTransfer()).toMatchObject({ status: "PENDING" });
    await sweepTransfers({ ...world.contextOf(world.sender), nowMs: nowMs + 60_000 });
    expect(await endOf(world)).toEqual(ACCEPTED);
  });

  it("outlives its expiry, because it was claimed in time", async () => {
    const world = await offerAtDoor();
    await expect(world.accept([crashAt("d1", "before")])).rejects.toThrow("crash");
    await env.DB.prepare("UPDATE ticket_transfers SET expires_at_ms = 1 WHERE id = ?").bind(world.transferId).run();
    await world.sweep();
    expect(await endOf(world)).toEqual(ACCEPTED);
  });

  it("and whose ticket is recalled in between ends as recalled, and nobody comes in", async () => {
    const world = await offerAtDoor();
    const { door, ticketId } = world;
    await expect(world.accept([crashAt("desk", "before")])).rejects.toThrow("crash");
    await door.gate.recall({ tenantId: door.tenantId, ticketIds: [ticketId], reason: "canceled", actor: "test" });
    await env.DB.prepare("UPDATE tickets SET status = 'CANCELLED' WHERE id = ?").bind(ticketId).run();
    await world.sweep();
    expect(await endOf(world)).toEqual({ owner: "sender", epoch: 0, transfer: "CANCELLED", cause: "ticket_recalled" });
    expect([(await world.scan(0)).reason, (await world.scan(1)).reason]).toEqual(["canceled", "canceled"]);
  });
});
