/** What callers may write into free texts: names go on chain, into pictures and logs, and must look like what they are. */
import { describe, expect, it } from "vitest";
import { signIn } from "../support/contract-call.ts";
import { EVENT_BODY, idOf, openSale } from "../support/open-sale.ts";

const UNFIT = [
  ["NUL", "\u0000"],
  ["a tab", "\t"],
  ["escape", "\u001b"],
  ["delete", "\u007f"],
  ["a C1 control", "\u0085"],
  ["an embedding", "\u202a"],
  ["an override", "\u202e"],
  ["an isolate", "\u2066"],
  ["the end of an isolate", "\u2069"],
  ["a line separator", "\u2028"],
  ["what XML cannot write", "\uffff"],
] as const;

const EVENTS = "/api/v1/events";
const TYPES = "/api/v1/tickets/types";
const BLACKLIST = "/api/v1/admin/blacklist";
const ENDPOINTS = "/api/v1/webhook-endpoints";

describe("a free text", () => {
  it.each(UNFIT)("with %s in it is refused wherever one can be written", async (_, character) => {
    const { manager, tenantId, eventId } = await openSale();
    const admin = await signIn("admin", tenantId);
    const text = `Floor${character} A`;
    const type = { eventId, name: "Floor", priceCents: 1, quantity: 1 };
    const url = "https://hooks.example.org";
    const order = `/api/v1/orders/${crypto.randomUUID()}/refund`;
    for (const [caller, path, body, field] of [
      [manager, EVENTS, { ...EVENT_BODY, name: text }, "name"],
      [manager, EVENTS, { ...EVENT_BODY, venueName: text }, "venueName"],
      [manager, TYPES, { ...type, name: text }, "name"],
      [manager, TYPES, { ...type, description: text }, "description"],
      [manager, order, { reason: text }, "reason"],
      [admin, BLACKLIST, { userId: crypto.randomUUID(), reason: text }, "reason"],
      [admin, ENDPOINTS, { url, description: text }, "description"],
      [admin, ENDPOINTS, { url: `${url}/${character}x` }, "url"],
    ] as const) {
      const answer = await caller.call("POST", path, { body, key: crypto.randomUUID() });
      expect(answer, field).toMatchObject({ status: 400, body: { code: "validation_failed", errors: [{ path: field }] } });
    }
  });

  it("that is short has one line; a long one may have more", async () => {
    const { manager, tenantId, eventId } = await openSale();
    const type = { eventId, priceCents: 1, quantity: 1 };
    const named = await manager.call("POST", TYPES, { body: { ...type, name: "Floor\nA" } });
    expect(named).toMatchObject({ status: 400, body: { errors: [{ path: "name" }] } });
    const description = "Row 7\n\nSeats 1 to 9\r\nNo cameras";
    const described = await manager.call("POST", TYPES, { body: { ...type, name: "Floor", description } });
    expect(described).toMatchObject({ status: 201, body: { description } });
    const admin = await signIn("admin", tenantId);
    const body = { userId: crypto.randomUUID(), reason: "Resale\nTwice" };
    expect((await admin.call("POST", BLACKLIST, { body })).status).toBeLessThan(300);
  });

  it.each(["Fête d’été 🎪", "ערב מוזיקה\u200f", "👩‍👩‍👧 Familienkarte", "東京ドーム", "العربية", 'Ça & <là> "ici"'])(
    "in any writing is taken as it is: %s",
    async (name) => {
      const { manager } = await openSale();
      const made = await manager.call("POST", EVENTS, { body: { ...EVENT_BODY, name: `  ${name} ` } });
      expect(idOf(made)).toBe(made.body["id"]);
      expect(made.body["name"]).toBe(name);
    },
  );
});
