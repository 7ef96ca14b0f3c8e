import { env } from "cloudflare:workers";
import { afterEach, describe, expect, it } from "vitest";
import { deriveId, deskNumberFor } from "#domain/ids";
import type { IssuedTicket } from "#domain/order-messages";
import { generateCode } from "#services/door/generate-code";
import { closeDoors, makeDoor } from "../support/make-door.ts";
import { contextOf, NOW_MS, scan, type Caller } from "../support/scan-at-door.ts";

afterEach(closeDoors);

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
      expect(await generateCode(contextOf(caller), ticketId)).toEqual({
        ok: false,
        failure: { code: "not_found", what: "ticket" },
      });
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
      id: deriveId(deskNumberFor(door.tenantId, "holder", 1), [crypto.randomUUID()]),
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
    const rows = await env.DB.prepare("SELECT user_id, credential_epoch, first_issued_at_ms FROM qr_codes WHERE ticket_id = ?")
      .bind(ticketId)
      .all();
    expect(rows.results).toEqual([{ user_id: "holder", credential_epoch: 0, first_issued_at_ms: NOW_MS }]);
  });
});
