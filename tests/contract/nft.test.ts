import { eq } from "drizzle-orm";
import { describe, expect, it } from "vitest";
import { events, ticketTypes } from "#storage/schema";
import { readProblem, send } from "../support/call-service.ts";
import { db } from "../support/mint-bench.ts";
import { sellTickets } from "../support/sold-tickets.ts";

const NASTY = `</text><script>alert("1")</script>&'\u0000\u000b\ud800`;

describe("a ticket's public face", () => {
  it("names its event, type, number and picture, and the picture is there", async () => {
    const sold = await sellTickets(db, 1);
    const [ticketId = ""] = sold.ticketIds;
    const metadata: Record<string, unknown> = await (await send(`/nft/${ticketId}`)).json();
    expect(metadata["name"]).toMatch(/^Night of the Lamps · Standing · [0-9A-Z]{4}-[0-9A-Z]{4}$/);
    expect(metadata).toMatchObject({
      image: `https://tickets.test/nft/${ticketId}/image`,
      properties: { files: [{ uri: `https://tickets.test/nft/${ticketId}/image`, type: "image/svg+xml" }] },
    });
    expect(metadata["attributes"]).toContainEqual({ trait_type: "Transferable", value: "yes" });
    const picture = await send(`/nft/${ticketId}/image`);
    expect(picture.status).toBe(200);
    expect(picture.headers.get("content-type")).toBe("image/svg+xml; charset=utf-8");
    const svg = await picture.text();
    for (const words of ["Night of", "Standing", String(metadata["name"]).slice(-9)]) expect(svg).toContain(words);
  });

  it("may be shown by any page and kept by any cache, and can itself run and load nothing", async () => {
    const sold = await sellTickets(db, 1);
    const { headers } = await send(`/nft/${sold.ticketIds[0]}/image`);
    expect(headers.get("content-security-policy")).toBe("default-src 'none'; sandbox; frame-ancestors 'none'");
    expect(headers.get("cache-control")).toMatch(/^public, max-age=300/);
    expect(headers.get("access-control-allow-origin")).toBe("*");
    expect(headers.get("cross-origin-resource-policy")).toBe("cross-origin");
    expect(headers.get("x-content-type-options")).toBe("nosniff");
  });

  it("shows an organiser's words as words, whatever is in them", async () => {
    const sold = await sellTickets(db, 1);
    await db.update(events).set({ name: NASTY, venueName: NASTY }).where(eq(events.id, sold.eventId));
    await db.update(ticketTypes).set({ name: NASTY, transferable: false }).where(eq(ticketTypes.eventId, sold.eventId));
    const svg = await (await send(`/nft/${sold.ticketIds[0]}/image`)).text();
    expect(svg).not.toMatch(/<script|alert\("|[\p{Cc}\ud800]/u);
    expect(svg.match(/<\/?[a-z]+/gi)?.map((tag) => tag.toLowerCase())).not.toContain("<script");
    expect(svg.split("<text").length).toBe(svg.split("</text>").length);
  });

  it("says nothing of who owns it", async () => {
    const sold = await sellTickets(db, 1);
    for (const path of ["", "/image"]) {
      const text = await (await send(`/nft/${sold.ticketIds[0]}${path}`)).text();
      for (const secret of [sold.userId, sold.orderId, sold.tenantId]) expect(text).not.toContain(secret);
    }
  });

  it("is not there for a ticket that is not", async () => {
    for (const path of ["", "/image"]) {
      const answer = await send(`/nft/${crypto.randomUUID()}${path}`);
      expect(await readProblem(answer)).toMatchObject({ status: 404, code: "not_found" });
    }
  });
});
