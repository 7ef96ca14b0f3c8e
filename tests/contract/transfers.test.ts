import { env } from "cloudflare:workers";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { z } from "zod";
import { compose } from "#src/compose";
import { sweepTransfers } from "#services/transfer/sweep-transfers";
import { signIn, type Caller } from "../support/contract-call.ts";
import { idOf } from "../support/open-sale.ts";
import { offer, passOn, sellOne, settle, showCode, type Handing } from "../support/pass-on.ts";
import { serveOutside } from "../support/payment-provider-at-test.ts";

beforeAll(() => {
  serveOutside();
});
afterAll(() => {
  vi.restoreAllMocks();
});

const WALLET = "9WzDXwBbmkg8ZTbNMqUxvQRAyrZzDsGYdLVL9zYtAWWM";
const itemsShape = z.object({ items: z.array(z.record(z.string(), z.unknown())), nextCursor: z.string().nullable() });

async function list(caller: Caller, path: string): Promise<Readonly<Record<string, unknown>>[]> {
  return itemsShape.parse((await caller.call("GET", path)).body).items;
}

/** Lets an offer's time come. */
async function expire(transferId: string): Promise<void> {
  await env.DB.prepare("UPDATE ticket_transfers SET expires_at_ms = 1 WHERE id = ?").bind(transferId).run();
}

describe("a ticket that changes hands", () => {
  it("is dead in its old owner's hands and alive in the new one's when the accept is answered", async () => {
    const { owner, friend, ticketId, scan } = await sellOne();
    const old = await showCode(owner, ticketId);
    const offered = await offer(owner, ticketId, { toUserId: friend.userId });
    expect(offered).toMatchObject({
      status: 201,
      body: { ticketId, status: "PENDING", toUserId: friend.userId, toEmail: null },
    });
    const accepted = await settle(friend, idOf(offered), "accept");
    expect(accepted).toMatchObject({ status: 200, body: { status: "ACCEPTED", fromUserId: owner.userId, cause: null } });
    expect(await scan(old)).toBe("revoked");
    const ticket = await friend.call("GET", `/api/v1/tickets/${ticketId}`);
    expect(ticket.body).toMatchObject({ ownerUserId: friend.userId, status: "TRANSFERRED", credentialEpoch: 1 });
    expect(await scan(await showCode(friend, ticketId))).toBe("admitted");
  });

  it("is nowhere to be read by its old owner, and everywhere by the new one", async () => {
    const { sale, owner, friend, orderId, ticketId } = await sellOne();
    await passOn(owner, friend, ticketId);
    for (const path of [`/api/v1/tickets/${ticketId}`, `/api/v1/qr/${ticketId}/generate`, `/mint/${ticketId}`]) {
      expect((await owner.call("GET", path)).status, path).toBe(404);
      expect((await friend.call("GET", path)).status, path).toBe(200);
    }
    for (const path of ["/api/v1/tickets", `/api/v1/orders/${orderId}/tickets`]) expect(await list(owner, path)).toEqual([]);
    expect(await list(friend, "/api/v1/tickets")).toMatchObject([{ id: ticketId }]);
    expect(await list(sale.manager, `/api/v1/orders/${orderId}/tickets`)).toMatchObject([{ id: ticketId }]);
  });

  it("may change hands again, also back, and each former code is dead", async () => {
    const { sale, owner, friend, ticketId, scan } = await sellOne();
    const third = await sale.makeBuyer();
    const codes = [await showCode(owner, ticketId)];
    await passOn(owner, friend, ticketId);
    codes.push(await showCode(friend, ticketId));
    await passOn(friend, third, ticketId);
    codes.push(await showCode(third, ticketId));
    await passOn(third, owner, ticketId);
    for (const code of codes) expect(await scan(code)).toBe("revoked");
    expect(await scan(await showCode(owner, ticketId))).toBe("admitted");
    const chain = await list(owner, `/api/v1/transfer/${ticketId}/history`);
    expect(chain.map(({ fromUserId, toUserId }) => [fromUserId, toUserId])).toEqual([
      [third.userId, owner.userId],
      [friend.userId, third.userId],
      [owner.userId, friend.userId],
    ]);
  });

  it("shows its whole chain to its owner and managers, to past parties their part, and nothing to others", async () => {
    const { sale, owner, friend, ticketId } = await sellOne();
    const third = await sale.makeBuyer();
    const first = await passOn(owner, friend, ticketId);
    const second = await passOn(friend, third, ticketId);
    const path = `/api/v1/transfer/${ticketId}/history`;
    const read = async (caller: Caller): Promise<unknown[]> => (await list(caller, path)).map(({ id }) => id);
    for (const caller of [third, sale.manager]) expect(await read(caller)).toEqual([second, first]);
    expect(await read(owner)).toEqual([first]);
    expect(await read(friend)).toEqual([second, first]);
    const stranger = await sale.makeBuyer();
    for (const other of [stranger, await signIn("admin", crypto.randomUUID(), third.userId)]) {
      for (const asked of [path, `${path}?cursor=zzzzzzzzzz.${crypto.randomUUID()}`]) {
        expect(await other.call("GET", asked)).toMatchObject({ status: 404, body: { code: "not_found" } });
      }
    }
  });

  it("queues the move of its asset to the wallet that its new owner names, and none where nothing moves", async () => {
    const { owner, friend, admin, ticketId } = await sellOne();
    const transferId = idOf(await offer(owner, ticketId, { toUserId: friend.userId }));
    await friend.call("POST", `/api/v1/transfer/${transferId}/accept`, { body: { walletAddress: WALLET } });
    const move = { transferId, ticketId, fromAddress: null, toAddress: WALLET, status: "QUEUED" };
    expect(await list(admin, "/mint/moves")).toMatchObject([move]);
    const another = await sellOne();
    await passOn(another.owner, another.friend, another.ticketId);
    expect(await list(another.admin, "/mint/moves")).toEqual([]);
  });
});

describe("an offer", () => {
  it("under a key that was used before gets its first answer again, whatever became of it since", async () => {
    const { owner, friend, ticketId } = await sellOne();
    const to = { toUserId: friend.userId };
    const first = await offer(owner, ticketId, to, "k");
    await settle(friend, idOf(first), "accept");
    const again = await offer(owner, ticketId, to, "k");
    expect(again.body).toEqual(first.body);
    expect(again.headers.get("idempotency-replayed")).toBe("true");
    expect(await offer(owner, ticketId, { toUserId: crypto.randomUUID() }, "k")).toMatchObject({
      status: 422,
      body: { code: "idempotency_key_reused" },
    });
  });

  it("is made anew under a key that was forgotten, and not mistaken for the old one", async () => {
    const { owner, friend, ticketId, buyTicket } = await sellOne();
    const first = idOf(await offer(owner, ticketId, { toUserId: friend.userId }, "k"));
    await settle(owner, first, "cancel");
    await env.DB.prepare("DELETE FROM idempotency_keys WHERE user_id = ?").bind(owner.userId).run();
    const other = await buyTicket(owner);
    const second = await offer(owner, other, { toUserId: friend.userId }, "k");
    expect(second).toMatchObject({ status: 201, body: { ticketId: other } });
    expect((await settle(friend, idOf(second), "accept")).status).toBe(200);
  });

  it("that was refused is refused again under its key, also when it would be taken by now", async () => {
    const { owner, friend, ticketId } = await sellOne();
    const open = await offer(owner, ticketId, { toUserId: friend.userId });
    const to = { toUserId: crypto.randomUUID() };
    const refused = await offer(owner, ticketId, to, "k");
    await settle(owner, idOf(open), "cancel");
    const again = await offer(owner, ticketId, to, "k");
    for (const { status, body } of [refused, again]) expect([status, body["code"]]).toEqual([409, "ticket_not_transferable"]);
    expect(again.headers.get("idempotency-replayed")).toBe("true");
    expect((await offer(owner, ticketId, to)).status).toBe(201);
  });

  it("is made once by two requests of one key, and a ticket has one open offer at a time", async () => {
    const { owner, friend, ticketId } = await sellOne();
    const to = { toUserId: friend.userId };
    const twins = await Promise.all([offer(owner, ticketId, to, "k"), offer(owner, ticketId, to, "k")]);
    expect(twins.map(({ status }) => status)).toEqual([201, 201]);
    expect(twins[0].body).toEqual(twins[1].body);
    const others = await Promise.all(Array.from({ length: 5 }, () => offer(owner, ticketId, to)));
    for (const { status, body } of others) expect([status, body["code"]]).toEqual([409, "ticket_not_transferable"]);
    await settle(owner, idOf(twins[0]), "cancel");
    const racing = await Promise.all(Array.from({ length: 5 }, () => offer(owner, ticketId, to)));
    expect(racing.filter(({ status }) => status === 201)).toHaveLength(1);
  });

  it("is over for both parties once it is declined or taken back, and for no one else to settle", async () => {
    const { sale, owner, friend, ticketId, scan } = await sellOne();
    for (const [verb, caller, other, status] of [
      ["decline", friend, owner, "DECLINED"],
      ["cancel", owner, friend, "CANCELLED"],
    ] as const) {
      const transferId = idOf(await offer(owner, ticketId, { toUserId: friend.userId }));
      for (const wrong of [other, await sale.makeBuyer()]) expect((await settle(wrong, transferId, verb)).status).toBe(404);
      expect((await settle(await sale.makeBuyer(), transferId, "accept")).status).toBe(404);
      expect(await settle(caller, transferId, verb)).toMatchObject({ status: 200, body: { status } });
      for (const [again, party] of [
        ["decline", friend],
        ["cancel", owner],
        ["accept", friend],
      ] as const) {
        expect(await settle(party, transferId, again)).toMatchObject({ status: 409, body: { code: "transfer_not_pending" } });
      }
    }
    expect(await scan(await showCode(owner, ticketId))).toBe("admitted");
  });

  it("is over when its time has come, in every read and decision, whether or not anything has marked it", async () => {
    const { owner, friend, ticketId } = await sellOne();
    const transferId = idOf(await offer(owner, ticketId, { toEmail: "late@example.org" }));
    await expire(transferId);
    const recipient = await signIn("user", owner.tenantId, undefined, { email: "late@example.org", emailVerified: true });
    for (const caller of [owner, recipient])
      expect(await list(caller, "/api/v1/transfer")).toMatchObject([{ status: "EXPIRED" }]);
    for (const [verb, caller] of [
      ["accept", recipient],
      ["decline", recipient],
      ["cancel", owner],
    ] as const) {
      expect(await settle(caller, transferId, verb)).toMatchObject({ status: 409, body: { code: "transfer_not_pending" } });
    }
    expect((await offer(owner, ticketId, { toUserId: friend.userId })).status).toBe(201);
    const row = await env.DB.prepare("SELECT status, to_email FROM ticket_transfers WHERE id = ?").bind(transferId).first();
    expect(row).toEqual({ status: "EXPIRED", to_email: "" });
  });

  it("ends with the event at the latest, and is marked by the cron", async () => {
    const { sale, owner, friend, ticketId } = await sellOne();
    const soon = new Date(Date.now() + 3_600_000).toISOString();
    await env.DB.prepare("UPDATE events SET ends_at_ms = ?, starts_at_ms = 1 WHERE id = ?")
      .bind(Date.parse(soon), sale.eventId)
      .run();
    const offered = await offer(owner, ticketId, { toUserId: friend.userId });
    expect(offered.body["expiresAt"]).toBe(soon);
    await expire(idOf(offered));
    const composed = compose(env);
    if (!composed.ok) throw new Error("the tests' environment is misconfigured");
    await sweepTransfers(composed.value.createContext("cron", Date.now()));
    const row = await env.DB.prepare("SELECT status FROM ticket_transfers WHERE id = ?").bind(idOf(offered)).first();
    expect(row).toEqual({ status: "EXPIRED" });
  });
});

describe("an accept", () => {
  it.each([
    ["no body and no content type", {}],
    ["no body and the content type of one", { headers: { "content-type": "application/json" } }],
    ["an empty object", { body: {} }],
  ])("may come with %s", async (_, options) => {
    const { owner, friend, ticketId } = await sellOne();
    const transferId = idOf(await offer(owner, ticketId, { toUserId: friend.userId }));
    expect((await friend.call("POST", `/api/v1/transfer/${transferId}/accept`, options)).status).toBe(200);
  });
});

describe("offers in a list", () => {
  it("come page by page, those made and those got, newest first, each once", async () => {
    const handing: Handing = await sellOne();
    const { owner, friend, buyTicket, ticketId } = handing;
    const made: string[] = [idOf(await offer(owner, ticketId, { toUserId: friend.userId }))];
    for (const sender of [friend, owner, friend]) {
      const to = sender === owner ? friend : owner;
      made.unshift(idOf(await offer(sender, await buyTicket(sender), { toUserId: to.userId })));
    }
    const seen: unknown[] = [];
    let cursor: string | null = "";
    while (cursor !== null) {
      const { body } = await owner.call("GET", `/api/v1/transfer?limit=2${cursor && `&cursor=${cursor}`}`);
      const page = itemsShape.parse(body);
      seen.push(...page.items.map(({ id }) => id));
      cursor = page.nextCursor;
    }
    expect(seen).toEqual(made);
  });
});
