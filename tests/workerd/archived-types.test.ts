import { env } from "cloudflare:workers";
import { afterEach, describe, expect, it } from "vitest";
import { discountStockName } from "#domain/discount-stock";
import type { InventoryPort } from "#domain/inventory-messages";
import { archiveDiscount } from "#services/discount/archive-discount";
import { updateDiscount } from "#services/discount/update-discount";
import { archiveTicketType } from "#services/ticket-type/archive-ticket-type";
import { updateTicketType } from "#services/ticket-type/update-ticket-type";
import { closeInventories, idOf, makeOrganiser } from "../support/organiser.ts";
import { hold, openSale, pathOf, readType, sell } from "../support/sale-of-type.ts";

afterEach(closeInventories);

/** The type's real inventory, with something happening right before or after it is configured the first time. */
function interrupted(ticketTypeId: string, when: "before" | "after", happen: () => Promise<unknown>): () => InventoryPort {
  const real = env.TICKET_TYPE_INVENTORY.getByName(ticketTypeId);
  let isFirst = true;
  const configure: InventoryPort["configure"] = async (config) => {
    const interrupts = isFirst;
    isFirst = false;
    if (interrupts && when === "before") await happen();
    const outcome = await real.configure(config);
    if (interrupts && when === "after") await happen();
    return outcome;
  };
  return () => ({ configure, snapshot: () => real.snapshot() }) as unknown as InventoryPort; // nothing else is asked
}

describe("an archived ticket type", () => {
  it("can't be held from the answer on, keeps what was sold, and is archived as often as one likes", async () => {
    const { organiser, typeId } = await openSale();
    await sell(organiser, typeId, 2);
    expect(await organiser.call("DELETE", pathOf(typeId))).toEqual({ status: 204, body: undefined });
    expect(await hold(organiser, typeId, 1)).toBe("not_on_sale");
    expect((await readType(typeId)).body).toMatchObject({ status: "ARCHIVED", availability: "not_on_sale", soldCount: 2 });
    expect((await organiser.call("DELETE", pathOf(typeId))).status).toBe(204);
  });

  it("stays off sale when its name is changed", async () => {
    const { organiser, typeId } = await openSale();
    await organiser.call("DELETE", pathOf(typeId));
    const renamed = await organiser.call("PUT", pathOf(typeId), { name: "Former floor" });
    expect(renamed).toMatchObject({ status: 200, body: { name: "Former floor", status: "ARCHIVED" } });
    expect(await hold(organiser, typeId, 1)).toBe("not_on_sale");
  });

  it("is not put back on sale by an update that was under way when it was archived", async () => {
    const { organiser, typeId } = await openSale();
    const inventory = interrupted(typeId, "before", () => archiveTicketType(organiser.contextWith(), typeId));
    const input = { ticketTypeId: typeId, fields: { priceCents: 1 } };
    const updated = await updateTicketType(organiser.contextWith({ inventory }), input);
    expect(updated).toMatchObject({ ok: true, value: { status: "ARCHIVED", priceCents: 1 } });
    expect(await hold(organiser, typeId, 1)).toBe("not_on_sale");
  });

  it("is not put back on sale by an update that came and went while it was being archived", async () => {
    const { organiser, typeId } = await openSale();
    const input = { ticketTypeId: typeId, fields: { priceCents: 1 } };
    const inventory = interrupted(typeId, "after", () => updateTicketType(organiser.contextWith(), input));
    expect((await archiveTicketType(organiser.contextWith({ inventory }), typeId)).ok).toBe(true);
    expect(await hold(organiser, typeId, 1)).toBe("not_on_sale");
    expect((await readType(typeId)).body).toMatchObject({ status: "ARCHIVED", priceCents: 1 });
  });
});

describe("an archived discount", () => {
  it("is not given out again by an update that was under way when it was archived", async () => {
    const organiser = await makeOrganiser();
    const terms = { code: "GONE", type: "percentage", percentBps: 1_000, maxUses: 5 };
    const discountId = idOf(await organiser.call("POST", "/api/v1/discounts", terms));
    const stockName = discountStockName(discountId, "uses");
    const inventory = interrupted(stockName, "before", () => archiveDiscount(organiser.contextWith(), discountId));
    const input = { discountId, fields: { maxUses: 9 } };
    expect(await updateDiscount(organiser.contextWith({ inventory }), input)).toMatchObject({ failure: { code: "not_found" } });
    const use = { tenantId: organiser.tenantId, reservationId: discountId, userId: discountId, quantity: 1 };
    const { outcomes } = await env.TICKET_TYPE_INVENTORY.getByName(stockName).reserve([use]);
    expect(outcomes).toMatchObject([{ ok: false, failure: { code: "not_on_sale" } }]);
  });
});
