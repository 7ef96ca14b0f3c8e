import { env } from "cloudflare:workers";
import { drizzle } from "drizzle-orm/d1";
import { compactVerify, decodeProtectedHeader } from "jose";
import { describe, expect, it } from "vitest";
import { assembleCredential, encodeSignedBytes, type Credential } from "#domain/credential";
import type { IssuedTicket } from "#domain/order-messages";
import { importSigningKeys, signBytes, type SigningKeys, type SigningSeed } from "#platform/signing-keys";
import type { DoorContext } from "#services/door/door-context";
import { findGateStats } from "#services/door/find-gate-stats";
import { generateCode } from "#services/door/generate-code";
import { previewScan } from "#services/door/preview-scan";
import { scanTicket, type ScanInput } from "#services/door/scan-ticket";
import type { ScanView } from "#services/door/scan-view";
import { makeDoor, type Door } from "../support/make-door.ts";

const NOW_MS = Date.now();
const nothingLogged = { debug() {}, info() {}, warn() {}, error() {} };

function newSeed(keyId: number): SigningSeed {
  return { keyId, seed: crypto.getRandomValues(new Uint8Array(32)) };
}
const ring = [newSeed(2), newSeed(1)];

interface Caller {
  readonly tenantId: string;
  readonly userId?: string;
  readonly role?: "user" | "door_staff" | "venue_manager";
  readonly nowMs?: number;
  readonly seeds?: readonly SigningSeed[];
  /** What the desk knows of tickets that D1 has no row for. */
  readonly atDesk?: IssuedTicket;
  readonly db?: DoorContext["db"];
}

/** A door's context; what the door must not touch throws. */
function contextOf(caller: Caller): DoorContext {
  const seeds = caller.seeds ?? ring;
  const untouched = (name: string) => () => {
    throw new Error(`the door asked for ${name}`);
  };
  const findTicket = (_: string, id: string): Promise<IssuedTicket | undefined> =>
    Promise.resolve(caller.atDesk?.id === id ? caller.atDesk : undefined);
  return {
    db: caller.db ?? drizzle(env.DB),
    nowMs: caller.nowMs ?? NOW_MS,
    requestId: "test",
    logger: nothingLogged,
    publicBaseUrl: "https://tickets.test",
    desksPerTenant: 1,
    newId: () => crypto.randomUUID(),
    inventory: untouched("an inventory"),
    gate: (eventId) => env.EVENT_GATE.getByName(eventId),
    desk: () => ({ findTicket }) as unknown as ReturnType<DoorContext["desk"]>, // the one method a door may ask for
    paymentProviders: {} as DoorContext["paymentProviders"], // never touched here
    principal: {
      tenantId: caller.tenantId,
      userId: caller.userId ?? "steward",
      role: caller.role ?? "door_staff",
      permissions: [],
    },
    credentialKeys: () => importSigningKeys(seeds),
  };
}

/** A database that fails whoever asks it. */
const downDb = new Proxy({} as DoorContext["db"], {
  get() {
    throw new Error("the database was asked");
  },
});

async function sign(keys: SigningKeys, facts: Omit<Credential, "keyId">): Promise<string> {
  const bytes = encodeSignedBytes({ ...facts, keyId: keys.newest.keyId });
  return assembleCredential(bytes, await signBytes(keys, bytes));
}

/** A code of this door's event, as the service would issue it now. */
async function makeCode(door: Door, changes: Partial<Credential> = {}, seeds: readonly SigningSeed[] = ring): Promise<string> {
  return sign(await importSigningKeys(seeds), {
    ticketId: crypto.randomUUID(),
    eventId: door.eventId,
    ticketTypeNumber: door.type.number,
    credentialEpoch: 0,
    issuedAtSeconds: Math.floor(NOW_MS / 1000),
    ...changes,
  });
}

async function scan(door: Door, qr: string, changes: Partial<ScanInput> & { caller?: Partial<Caller> } = {}): Promise<ScanView> {
  const { caller, ...input } = changes;
  const answer = await scanTicket(contextOf({ tenantId: door.tenantId, db: downDb, ...caller }), {
    qr,
    eventId: door.eventId,
    listId: null,
    type: "entry",
    nonce: null,
    scannedAtMs: null,
    force: false,
    ...input,
  });
  if (!answer.ok) throw new Error(`the scan was not answered: ${answer.failure.code}`);
  return answer.value;
}

function alter(text: string, index: number): string {
  const other = text.charAt(index) === "A" ? "B" : "A";
  return text.slice(0, index) + other + text.slice(index + 1);
}

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

  it.each([0, 2, 20, 50, 56, 60, 142])("with character %i altered is refused, even by force, and names no ticket", async (index) => {
    const door = await makeDoor();
    const qr = alter(await makeCode(door), index);
    expect(await scan(door, qr, { force: true })).toMatchObject({ result: "refused", reason: "invalid", ticket: null });
  });

  it.each(["", "hello", "A".repeat(143), "\u0000".repeat(143), "https://example.test/ticket/1"])("that is no code of ours (%j) is refused", async (text) => {
    const door = await makeDoor();
    expect(await scan(door, text, { force: true })).toMatchObject({ result: "refused", reason: "invalid" });
  });

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
  });

  it("stays good while its key is being rotated out, and no longer", async () => {
    const door = await makeDoor();
    const [newest, oldest] = [newSeed(2), newSeed(1)];
    const qr = await makeCode(door, {}, [oldest]);
    expect(await scan(door, qr, { caller: { seeds: [newest, oldest] } })).toMatchObject({ result: "admitted" });
    expect(await scan(door, qr, { caller: { seeds: [newest] } })).toMatchObject({ reason: "invalid" });
  });

  it("is dead once its ticket was revoked, although its 30 seconds are not over", async () => {
    const door = await makeDoor();
    const ticketId = crypto.randomUUID();
    const qr = await makeCode(door, { ticketId });
    await door.gate.revoke({ tenantId: door.tenantId, ticketId, minEpoch: null, reason: "canceled", actor: "test" });
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
    expect(answers.map((answer) => answer.reason).toSorted()).toEqual(["already_redeemed", null]);
  });
});

describe("a scan", () => {
  it("of another tenant's event finds no event, whatever the code", async () => {
    const door = await makeDoor();
    const stranger = contextOf({ tenantId: crypto.randomUUID() });
    for (const qr of [await makeCode(door), "forged"]) {
      const input = { qr, eventId: door.eventId, listId: null, type: "entry", nonce: null, scannedAtMs: null, force: true } as const;
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

describe("issuing a code", () => {
  it("is for the owner alone: not for a neighbour, not for a venue manager, not for another tenant", async () => {
    const door = await makeDoor();
    const ticketId = await door.sellTicket(undefined, "holder");
    const callers: Caller[] = [
      { tenantId: door.tenantId, userId: "neighbour", role: "user" },
      { tenantId: door.tenantId, userId: "boss", role: "venue_manager" },
      { tenantId: crypto.randomUUID(), userId: "holder", role: "user" },
    ];
    for (const caller of callers) {
      expect(await generateCode(contextOf(caller), ticketId)).toEqual({ ok: false, failure: { code: "not_found", what: "ticket" } });
    }
  });

  it.each(["CANCELLED", "EXPIRED"])("is refused for a ticket that is %s", async (status) => {
    const door = await makeDoor();
    const ticketId = await door.sellTicket(undefined, "holder");
    await env.DB.prepare("UPDATE tickets SET status = ? WHERE id = ?").bind(status, ticketId).run();
    const answer = await generateCode(contextOf({ tenantId: door.tenantId, userId: "holder" }), ticketId);
    expect(answer).toEqual({ ok: false, failure: { code: "ticket_not_valid" } });
  });

  it("works for a ticket paid a moment ago, which only its desk knows yet", async () => {
    const door = await makeDoor();
    const atDesk: IssuedTicket = {
      id: crypto.randomUUID(),
      tenantId: door.tenantId,
      eventId: door.eventId,
      ticketTypeId: door.type.ticketTypeId,
      orderId: crypto.randomUUID(),
      ownerUserId: "holder",
      status: "SOLD",
      credentialEpoch: 0,
      walletAddress: null,
      createdAtMs: NOW_MS,
    };
    const issued = await generateCode(contextOf({ tenantId: door.tenantId, userId: "holder", atDesk }), atDesk.id);
    expect(issued.ok && (await scan(door, issued.value.qr)).result).toBe("admitted");
  });

  it("is noted once for each credential in a holder's hands, however often the code rotates", async () => {
    const door = await makeDoor();
    const ticketId = await door.sellTicket(undefined, "holder");
    for (const nowMs of [NOW_MS, NOW_MS + 20_000, NOW_MS + 40_000]) {
      await generateCode(contextOf({ tenantId: door.tenantId, userId: "holder", nowMs }), ticketId);
    }
    const rows = await env.DB.prepare("SELECT user_id, credential_epoch, first_issued_at_ms FROM qr_codes WHERE ticket_id = ?").bind(ticketId).all();
    expect(rows.results).toEqual([{ user_id: "holder", credential_epoch: 0, first_issued_at_ms: NOW_MS }]);
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
