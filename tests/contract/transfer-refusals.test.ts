import { env } from "cloudflare:workers";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { z } from "zod";
import { signIn, type Caller, type CheckedAnswer } from "../support/contract-call.ts";
import { flushDeskOf, idOf } from "../support/open-sale.ts";
import { offer, passOn, sellOne, settle, showCode, type Handing } from "../support/pass-on.ts";
import { serveOutside } from "../support/payment-provider-at-test.ts";

beforeAll(() => {
  serveOutside();
});
afterAll(() => {
  vi.restoreAllMocks();
});

function expectRefusal(answer: CheckedAnswer, status: number, code: string): void {
  expect([answer.status, answer.body["code"]]).toEqual([status, code]);
}

/** Everything a refused request could have left behind. */
async function photograph({ ticketId }: Handing): Promise<unknown> {
  const transfers = env.DB.prepare("SELECT * FROM ticket_transfers WHERE ticket_id = ?").bind(ticketId).all();
  const ticket = env.DB.prepare("SELECT owner_user_id, status, credential_epoch FROM tickets WHERE id = ?")
    .bind(ticketId)
    .first();
  return { transfers: (await transfers).results, ticket: await ticket };
}

async function setStatus(ticketId: string, status: string): Promise<void> {
  await env.DB.prepare("UPDATE tickets SET status = ? WHERE id = ?").bind(status, ticketId).run();
}

async function bar(admin: Caller, userId: string): Promise<void> {
  const barred = await admin.call("POST", "/api/v1/admin/blacklist", { body: { userId, reason: "resale" } });
  expect(barred.status).toBe(201);
}

describe("an offer is refused and changes nothing", () => {
  it.each([
    ["to a user and an address at once", { toUserId: crypto.randomUUID(), toEmail: "a@example.org" }],
    ["to nobody", {}],
    ["to something that is no address", { toEmail: "ada at example.org" }],
    ["to something that is no user", { toUserId: "ada" }],
    ["to an address of 300 characters", { toEmail: `${"a".repeat(288)}@example.org` }],
  ])("%s", async (_, to) => {
    const handing = await sellOne();
    const before = await photograph(handing);
    expectRefusal(await offer(handing.owner, handing.ticketId, to), 400, "validation_failed");
    expect(await photograph(handing)).toEqual(before);
  });

  it("to oneself, by id and by one's own address", async () => {
    const { owner, ticketId } = await sellOne();
    const byId = await offer(owner, ticketId, { toUserId: owner.userId });
    expectRefusal(byId, 400, "validation_failed");
    expect(byId.body["errors"]).toMatchObject([{ path: "toUserId", code: "self_transfer" }]);
    const proven = await signIn("user", owner.tenantId, owner.userId, { email: "Me@example.org", emailVerified: true });
    expectRefusal(await offer(proven, ticketId, { toEmail: "me@EXAMPLE.org" }), 400, "validation_failed");
  });

  it("of a ticket that belongs to somebody else, whoever asks, and of one that does not exist", async () => {
    const { sale, friend, owner, ticketId } = await sellOne();
    const stranger = await signIn("admin", crypto.randomUUID(), owner.userId);
    for (const caller of [friend, sale.manager, stranger]) {
      expectRefusal(await offer(caller, ticketId, { toUserId: crypto.randomUUID() }), 404, "not_found");
    }
    expectRefusal(await offer(owner, crypto.randomUUID(), { toUserId: friend.userId }), 404, "not_found");
  });

  it("of a type that its organiser keeps with its buyers, and an open one cannot be accepted any more", async () => {
    const { sale, owner, friend, ticketId, scan } = await sellOne();
    const transferId = idOf(await offer(owner, ticketId, { toUserId: friend.userId }));
    await sale.manager.call("PUT", sale.path, { body: { transferable: false } });
    expectRefusal(await settle(friend, transferId, "accept"), 409, "ticket_not_transferable");
    await settle(owner, transferId, "cancel");
    expectRefusal(await offer(owner, ticketId, { toUserId: friend.userId }), 409, "ticket_not_transferable");
    expect(await scan(await showCode(owner, ticketId))).toBe("admitted");
  });

  it("of a ticket that was let in, although D1 has not heard of it yet", async () => {
    const { owner, friend, orderId, ticketId, scan } = await sellOne();
    await flushDeskOf(orderId);
    expect(await scan(await showCode(owner, ticketId))).toBe("admitted");
    expectRefusal(await offer(owner, ticketId, { toUserId: friend.userId }), 409, "ticket_not_valid");
  });

  it("of a ticket that was cancelled", async () => {
    const handing = await sellOne();
    const { owner, friend, ticketId } = handing;
    await passOn(owner, friend, ticketId);
    await setStatus(ticketId, "CANCELLED");
    expectRefusal(await offer(friend, ticketId, { toUserId: owner.userId }), 409, "ticket_not_valid");
  });

  it("after the event", async () => {
    const { sale, owner, friend, ticketId } = await sellOne();
    await env.DB.prepare("UPDATE events SET starts_at_ms = 1, ends_at_ms = 2 WHERE id = ?").bind(sale.eventId).run();
    await owner.call("GET", `/api/v1/tickets/${ticketId}`);
    expectRefusal(await offer(owner, ticketId, { toUserId: friend.userId }), 409, "ticket_not_transferable");
  });
});

describe("a ticket that was let in first", () => {
  it.each([
    ["which D1 has not heard of yet", null],
    ["which D1 knows already", "USED"],
  ])("%s, stays with who went in: the accept is refused, and the history says why", async (_, status) => {
    const { owner, friend, ticketId, scan } = await sellOne();
    const transferId = idOf(await offer(owner, ticketId, { toUserId: friend.userId }));
    expect(await scan(await showCode(owner, ticketId))).toBe("admitted");
    if (status !== null) await setStatus(ticketId, status);
    expectRefusal(await settle(friend, transferId, "accept"), 409, "ticket_not_valid");
    const { body } = await owner.call("GET", `/api/v1/transfer/${ticketId}/history`);
    expect(body["items"]).toMatchObject([{ id: transferId, status: "CANCELLED", cause: "ticket_used" }]);
    expectRefusal(await settle(friend, transferId, "accept"), 409, "transfer_not_pending");
    expect((await owner.call("GET", `/api/v1/qr/${ticketId}/generate`)).status).toBe(200);
  });
});

it("ends the offer of a ticket that was cancelled when it is accepted, and says so", async () => {
  const { owner, friend, ticketId } = await sellOne();
  const transferId = idOf(await offer(owner, ticketId, { toUserId: friend.userId }));
  await setStatus(ticketId, "CANCELLED");
  expectRefusal(await settle(friend, transferId, "accept"), 409, "ticket_not_valid");
  const { body } = await owner.call("GET", `/api/v1/transfer/${ticketId}/history`);
  expect(body["items"]).toMatchObject([{ id: transferId, status: "CANCELLED", cause: "ticket_recalled" }]);
});

describe("who is blacklisted", () => {
  it("can neither be offered a ticket nor accept one that they were offered before", async () => {
    const { owner, friend, admin, ticketId, scan } = await sellOne();
    const transferId = idOf(await offer(owner, ticketId, { toUserId: friend.userId }));
    await bar(admin, friend.userId);
    expectRefusal(await settle(friend, transferId, "accept"), 403, "user_blacklisted");
    await settle(owner, transferId, "cancel");
    expectRefusal(await offer(owner, ticketId, { toUserId: friend.userId }), 403, "user_blacklisted");
    expect(await scan(await showCode(owner, ticketId))).toBe("admitted");
  });

  it("cannot accept by an address either, and can once they are off the list, while the offer stands", async () => {
    const { owner, admin, ticketId } = await sellOne();
    const recipient = await signIn("user", owner.tenantId, undefined, { email: "eve@example.org", emailVerified: true });
    const transferId = idOf(await offer(owner, ticketId, { toEmail: "eve@example.org" }));
    await bar(admin, recipient.userId);
    expectRefusal(await settle(recipient, transferId, "accept"), 403, "user_blacklisted");
    expect((await admin.call("DELETE", `/api/v1/admin/blacklist/${recipient.userId}`)).status).toBe(204);
    expect((await settle(recipient, transferId, "accept")).status).toBe(200);
  });

  it("may give away what they have, and stays out of what others give", async () => {
    const { owner, friend, admin, ticketId } = await sellOne();
    await bar(admin, owner.userId);
    await passOn(owner, friend, ticketId);
    expectRefusal(await offer(friend, ticketId, { toUserId: owner.userId }), 403, "user_blacklisted");
  });

  it("of another tenant is of no concern here", async () => {
    const { owner, friend, ticketId } = await sellOne();
    await bar(await signIn("admin", crypto.randomUUID()), friend.userId);
    await passOn(owner, friend, ticketId);
  });
});

describe("an offer to an e-mail address", () => {
  const ADDRESS = "ada.lovelace@example.org";
  const proven = { email: "Ada.Lovelace@Example.org", emailVerified: true };

  it("is for whoever proves the address, however it is written, and for nobody who only claims it", async () => {
    const { owner, friend, ticketId, scan } = await sellOne();
    const old = await showCode(owner, ticketId);
    const offered = await offer(owner, ticketId, { toEmail: ADDRESS });
    expect(offered).toMatchObject({ status: 201, body: { toEmail: ADDRESS, toUserId: null, status: "PENDING" } });
    const claims = [
      {},
      { email: ADDRESS },
      { email: ADDRESS, emailVerified: false },
      { email: ADDRESS, emailVerified: "true" },
      { email: [ADDRESS], emailVerified: true },
      { email: "ada@example.org", emailVerified: true },
      { emailVerified: true },
    ];
    for (const said of claims) {
      const pretender = await signIn("user", owner.tenantId, undefined, said);
      for (const verb of ["accept", "decline"] as const) {
        expectRefusal(await settle(pretender, idOf(offered), verb), 404, "not_found");
      }
    }
    const elsewhere = await signIn("user", crypto.randomUUID(), undefined, proven);
    expectRefusal(await settle(elsewhere, idOf(offered), "accept"), 404, "not_found");
    expectRefusal(await settle(friend, idOf(offered), "accept"), 404, "not_found");
    const ada = await signIn("user", owner.tenantId, undefined, proven);
    expect(await settle(ada, idOf(offered), "accept")).toMatchObject({ status: 200, body: { toUserId: ada.userId } });
    expect([await scan(old), await scan(await showCode(ada, ticketId))]).toEqual(["revoked", "admitted"]);
  });

  it("shows the address to who wrote it and to who proves it, and leaves it in no table", async () => {
    const { sale, owner, ticketId } = await sellOne();
    await offer(owner, ticketId, { toEmail: ADDRESS }, "k");
    const replayed = await offer(owner, ticketId, { toEmail: ADDRESS }, "k");
    expect(replayed.body).toMatchObject({ toEmail: ADDRESS });
    const ada = await signIn("user", owner.tenantId, undefined, proven);
    const read = async (caller: Caller, path: string): Promise<unknown> =>
      z.looseObject({ items: z.tuple([z.looseObject({ toEmail: z.unknown() })]) }).parse((await caller.call("GET", path)).body)
        .items[0].toEmail;
    expect(await read(ada, "/api/v1/transfer")).toBe(proven.email);
    expect(await read(owner, "/api/v1/transfer")).toBeNull();
    expect(await read(sale.manager, `/api/v1/transfer/${ticketId}/history`)).toBeNull();
    for (const table of ["ticket_transfers", "idempotency_keys", "outbox", "asset_moves"]) {
      const { results } = await env.DB.prepare(`SELECT * FROM ${table}`).all();
      expect(JSON.stringify(results).toLowerCase(), table).not.toContain("lovelace");
    }
  });

  it("leaves not even its fingerprint once it is over, and names who settled it", async () => {
    const { owner, ticketId } = await sellOne();
    const ada = await signIn("user", owner.tenantId, undefined, proven);
    const left = [];
    for (const [verb, caller] of [
      ["cancel", owner],
      ["decline", ada],
      ["accept", ada],
    ] as const) {
      const transferId = idOf(await offer(owner, ticketId, { toEmail: ADDRESS }));
      expect((await settle(caller, transferId, verb)).status).toBe(200);
      left.push(
        await env.DB.prepare("SELECT to_email, to_user_id FROM ticket_transfers WHERE id = ?").bind(transferId).first(),
      );
    }
    expect(left).toEqual([
      { to_email: "", to_user_id: null },
      { to_email: null, to_user_id: ada.userId },
      { to_email: null, to_user_id: ada.userId },
    ]);
  });
});
