import { compactVerify, decodeProtectedHeader } from "jose";
import { afterEach, describe, expect, it } from "vitest";
import { importSigningKeys } from "#platform/signing-keys";
import { findGateStats } from "#services/door/find-gate-stats";
import { generateCode } from "#services/door/generate-code";
import { previewScan } from "#services/door/preview-scan";
import { scanTicket } from "#services/door/scan-ticket";
import { closeDoors, makeDoor } from "../support/make-door.ts";
import { alter, contextOf, downDb, makeCode, newSeed, NOW_MS, ring, scan } from "../support/scan-at-door.ts";

afterEach(closeDoors);

describe("a code shown at the door", () => {
  it("lets its holder in from issue to scan, although no database answers the scan", async () => {
    const door = await makeDoor();
    const ticketId = await door.sellTicket(undefined, "holder");
    const issued = await generateCode(contextOf({ tenantId: door.tenantId, userId: "holder", role: "user" }), ticketId);
    if (!issued.ok) throw new Error("no code was issued");
    expect(issued.value.qr).toHaveLength(143);
    expect(issued.value.expiresAtMs).toBeGreaterThan(NOW_MS);
    expect(issued.value.expiresAtMs).toBeLessThanOrEqual(NOW_MS + 30_000);
    expect(await scan(door, issued.value.qr)).toMatchObject({
      result: "admitted",
      reason: null,
      ticket: { id: ticketId, ticketTypeId: door.type.ticketTypeId, ticketTypeName: "Floor" },
      entryCount: 1,
    });
  });

  it("is refused as stale after 30 seconds, even by force and whatever time the device tells", async () => {
    const door = await makeDoor();
    const qr = await makeCode(door);
    const late = { nowMs: NOW_MS + 31_000 };
    expect(await scan(door, qr, { caller: late, force: true, scannedAtMs: NOW_MS })).toMatchObject({
      result: "refused",
      reason: "expired_code",
    });
    expect(await scan(door, qr)).toMatchObject({ result: "admitted" });
  });

  it("from the future is refused", async () => {
    const door = await makeDoor();
    const qr = await makeCode(door, { issuedAtSeconds: Math.floor(NOW_MS / 1000) + 60 });
    expect(await scan(door, qr)).toMatchObject({ result: "refused", reason: "expired_code" });
  });

  it.each([0, 2, 20, 50, 56, 60, 142])(
    "with character %i altered is refused, even by force, and names no ticket",
    async (index) => {
      const door = await makeDoor();
      const qr = alter(await makeCode(door), index);
      expect(await scan(door, qr, { force: true })).toMatchObject({ result: "refused", reason: "invalid", ticket: null });
    },
  );

  it.each(["", "hello", "A".repeat(143), "\u0000".repeat(143), "https://example.test/ticket/1"])(
    "that is no code of ours (%j) is refused",
    async (text) => {
      const door = await makeDoor();
      expect(await scan(door, text, { force: true })).toMatchObject({ result: "refused", reason: "invalid" });
    },
  );

  it("signed by a stranger under our key's id is refused", async () => {
    const door = await makeDoor();
    const qr = await makeCode(door, {}, [newSeed(2)]);
    expect(await scan(door, qr, { force: true })).toMatchObject({ result: "refused", reason: "invalid" });
  });

  it("for another event is refused, tells nothing of its ticket and leaves it unused", async () => {
    const [door, other] = [await makeDoor(), await makeDoor()];
    const ticketId = await other.sellTicket();
    const qr = await makeCode(other, { ticketId });
    expect(await scan(door, qr, { force: true })).toMatchObject({ result: "refused", reason: "wrong_event", ticket: null });
    await door.flush();
    expect(await door.listValidations()).toMatchObject([{ ticket_id: null, reason: "wrong_event" }]);
    expect(await scan(other, qr)).toMatchObject({ result: "admitted" });
    // Stale as well: to ask its holder for the live code would help nobody.
    const late = { nowMs: NOW_MS + 60_000 };
    expect(await scan(door, qr, { caller: late })).toMatchObject({ result: "refused", reason: "wrong_event", ticket: null });
  });

  it("stays good while its key is being rotated out, and no longer", async () => {
    const door = await makeDoor();
    const [newest, oldest] = [newSeed(2), newSeed(1)];
    const qr = await makeCode(door, {}, [oldest]);
    expect(await scan(door, qr, { caller: { seeds: [newest, oldest] } })).toMatchObject({ result: "admitted" });
    expect(await scan(door, qr, { caller: { seeds: [newest] } })).toMatchObject({ reason: "invalid" });
  });

  it("is dead once its ticket was recalled, although its 30 seconds are not over", async () => {
    const door = await makeDoor();
    const ticketId = crypto.randomUUID();
    const qr = await makeCode(door, { ticketId });
    await door.gate.recall({ tenantId: door.tenantId, ticketIds: [ticketId], reason: "canceled", actor: "test" });
    expect(await scan(door, qr, { force: true })).toMatchObject({ result: "refused", reason: "canceled" });
  });

  it("scanned on two devices at the same instant lets one person in", async () => {
    const door = await makeDoor();
    const qr = await makeCode(door);
    const answers = await Promise.all([
      scan(door, qr, { nonce: crypto.randomUUID(), caller: { userId: "steward-1" } }),
      scan(door, qr, { nonce: crypto.randomUUID(), caller: { userId: "steward-2" } }),
    ]);
    expect(answers.map((answer) => answer.result).toSorted()).toEqual(["admitted", "refused"]);
    expect(answers.map((answer) => answer.reason)).toContain("already_redeemed");
  });
});

describe("a scan", () => {
  it("of another tenant's event finds no event, whatever the code", async () => {
    const door = await makeDoor();
    const stranger = contextOf({ tenantId: crypto.randomUUID() });
    for (const qr of [await makeCode(door), "forged"]) {
      const input = {
        qr,
        eventId: door.eventId,
        listId: null,
        type: "entry",
        nonce: null,
        scannedAtMs: null,
        force: true,
      } as const;
      expect(await scanTicket(stranger, input)).toEqual({ ok: false, failure: { code: "not_found", what: "event" } });
    }
    expect(await previewScan(stranger, { qr: await makeCode(door), listId: null })).toMatchObject({ ok: false });
    await door.flush();
    expect(await door.listValidations()).toEqual([]);
  });

  it("is answered with a receipt that anyone with the public key can verify", async () => {
    const door = await makeDoor();
    const ticketId = crypto.randomUUID();
    const nonce = crypto.randomUUID();
    const answer = await scan(door, await makeCode(door, { ticketId }), { nonce });
    const { publicKeys, newest } = await importSigningKeys(ring);
    const publicKey = publicKeys.get(newest.keyId);
    if (answer.receipt === null || publicKey === undefined) throw new Error("no receipt, or no key to verify it");
    expect(decodeProtectedHeader(answer.receipt)).toMatchObject({ alg: "EdDSA", kid: "2" });
    const { payload } = await compactVerify(answer.receipt, publicKey);
    expect(JSON.parse(new TextDecoder().decode(payload))).toEqual({
      result: "admitted",
      reason: null,
      ticketId,
      eventId: door.eventId,
      entryCount: 1,
      at: new Date(answer.admittedAtMs ?? 0).toISOString(),
      nonce,
    });
    await expect(compactVerify(alter(answer.receipt, answer.receipt.length - 10), publicKey)).rejects.toThrow();
  });

  it("repeated with its nonce after the code went stale still says that the holder was let in", async () => {
    const door = await makeDoor();
    const qr = await makeCode(door);
    const nonce = crypto.randomUUID();
    const first = await scan(door, qr, { nonce });
    expect(await scan(door, qr, { nonce, caller: { nowMs: NOW_MS + 60_000 } })).toEqual(first);
  });

  it("records the time the device tells beside the time the gate heard of it", async () => {
    const door = await makeDoor();
    const ticketId = await door.sellTicket();
    const scannedAtMs = NOW_MS - 3_600_000;
    await scan(door, await makeCode(door, { ticketId }), { scannedAtMs, caller: { userId: "steward-7" } });
    await door.flush();
    const [record] = await door.listValidations();
    expect(record).toMatchObject({ scanned_at_ms: scannedAtMs, scanned_by: "steward-7", tenant_id: door.tenantId });
    expect(record?.["received_at_ms"]).toBeGreaterThanOrEqual(NOW_MS);
  });

  it("can be previewed without letting anyone in, and a preview gives no receipt", async () => {
    const door = await makeDoor();
    const qr = await makeCode(door);
    const ctx = contextOf({ tenantId: door.tenantId, db: downDb });
    const preview = await previewScan(ctx, { qr, listId: null });
    expect(preview).toMatchObject({ ok: true, value: { result: "admitted", receipt: null } });
    expect(await previewScan(ctx, { qr: "forged", listId: null })).toMatchObject({ ok: true, value: { reason: "invalid" } });
    expect(await scan(door, qr)).toMatchObject({ result: "admitted", entryCount: 1 });
    expect(await previewScan(ctx, { qr, listId: null })).toMatchObject({ ok: true, value: { reason: "already_redeemed" } });
    const late = contextOf({ tenantId: door.tenantId, db: downDb, nowMs: NOW_MS + 31_000 });
    expect(await previewScan(late, { qr, listId: null })).toMatchObject({ ok: true, value: { reason: "expired_code" } });
  });
});

it("counts per list and type what is sold, was let in and is inside", async () => {
  const door = await makeDoor();
  const [stays, leaves] = [await makeCode(door), await makeCode(door)];
  await scan(door, stays);
  await scan(door, leaves);
  await scan(door, leaves, { type: "exit" });
  await scan(door, stays, { listId: "backstage" });
  const answer = await findGateStats(contextOf({ tenantId: door.tenantId }), door.eventId);
  const type = { ticketTypeId: door.type.ticketTypeId, ticketTypeName: "Floor", sold: 3 };
  expect(answer).toEqual({
    ok: true,
    value: [
      { ...type, listId: null, admitted: 2, inside: 1 },
      { ...type, listId: "backstage", admitted: 1, inside: 1 },
    ],
  });
  const stranger = contextOf({ tenantId: crypto.randomUUID() });
  expect(await findGateStats(stranger, door.eventId)).toMatchObject({ ok: false, failure: { code: "not_found" } });
});
