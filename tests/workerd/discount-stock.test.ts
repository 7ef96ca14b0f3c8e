/** Uses of a capped code are stock: these tests sell it as a crowd does, over HTTP and at a desk that breaks. */
import { runDurableObjectAlarm } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { discountStockName } from "#domain/discount-stock";
import { quoteOrder } from "#services/order/quote-order";
import type { Caller, CheckedAnswer } from "../support/contract-call.ts";
import { HOLD_MS, inDeskWorld } from "../support/desk-world.ts";
import { idOf, openSale, runDeskOf, type Sale } from "../support/open-sale.ts";
import { brokenDb, makeOrganiser } from "../support/organiser.ts";
import { deliver, serveOutside, type ProviderBooks } from "../support/payment-provider-at-test.ts";

const TEN_PERCENT = { type: "percentage", percentBps: 1_000 };

let books: ProviderBooks;
let sale: Sale;

beforeEach(async () => {
  books = serveOutside();
  sale = await openSale({ quantity: 60, reservationTtlSeconds: 5 });
});
afterEach(() => {
  vi.restoreAllMocks();
});

async function makeCode(code: string, terms: Readonly<Record<string, unknown>> = {}): Promise<string> {
  return idOf(await sale.manager.call("POST", "/api/v1/discounts", { body: { code, ...TEN_PERCENT, ...terms } }));
}

/** Buys two tickets with the code. */
function buyWith(code: string, buyer: Caller, key: string = crypto.randomUUID(), quantity = 2): Promise<CheckedAnswer> {
  return buyer.call("POST", "/api/v1/purchase", { key, body: { ...sale.basket(quantity), discountCodes: [code] } });
}

async function readUses(discountId: string): Promise<Readonly<Record<string, unknown>>> {
  const stub = env.TICKET_TYPE_INVENTORY.getByName(discountStockName(discountId, "uses"));
  const { heldCount, soldCount, availableCount } = { ...(await stub.snapshot()) };
  return { heldCount, soldCount, availableCount };
}

/** Moves everyone's clock past a hold of five seconds; that of a use may end some milliseconds later. No alarm runs by it. */
function passFiveSeconds(): void {
  const laterMs = Date.now() + 5_100;
  vi.spyOn(Date, "now").mockImplementation(() => laterMs);
}

function countCodes(answers: readonly CheckedAnswer[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { status, body } of answers) {
    const name = status === 201 ? "bought" : String(body["code"]);
    counts[name] = (counts[name] ?? 0) + 1;
  }
  return counts;
}

async function race(code: string): Promise<Record<string, number>> {
  const buyers = await Promise.all(Array.from({ length: 50 }, () => sale.makeBuyer()));
  return countCodes(await Promise.all(buyers.map((buyer) => buyWith(code, buyer, "key", 1))));
}

describe("a code with ten uses", () => {
  it("is used by exactly ten of fifty buyers who race for it, and the others hold no seat", async () => {
    const discountId = await makeCode("RACE", { maxUses: 10 });
    expect(await race("RACE")).toEqual({ bought: 10, discount_exhausted: 40 });
    expect(await readUses(discountId)).toEqual({ heldCount: 10, soldCount: 0, availableCount: 0 });
    expect(await sale.readStock()).toMatchObject({ heldCount: 10, soldCount: 0 });
  });

  it("is used by exactly ten tickets when it counts tickets", async () => {
    const discountId = await makeCode("SEATS", { maxUses: 10, maxUsesUnit: "tickets" });
    const buyers = await Promise.all(Array.from({ length: 8 }, () => sale.makeBuyer()));
    const answers = await Promise.all(buyers.map((buyer) => buyWith("SEATS", buyer, "key", 3)));
    expect(countCodes(answers)).toEqual({ bought: 3, discount_exhausted: 5 });
    expect(await readUses(discountId)).toEqual({ heldCount: 9, soldCount: 0, availableCount: 1 });
  });

  it("would be used by all fifty without its cap", async () => {
    await makeCode("OPEN");
    expect(await race("OPEN")).toEqual({ bought: 50 });
  });
});

describe("a use", () => {
  it("is free again the moment its hold runs out, without any alarm", async () => {
    const discountId = await makeCode("LAST", { maxUses: 1 });
    const [one, other] = [await sale.makeBuyer(), await sale.makeBuyer()];
    expect(await buyWith("LAST", one)).toMatchObject({ status: 201 });
    expect(await buyWith("LAST", other)).toMatchObject({ status: 409, body: { code: "discount_exhausted" } });
    passFiveSeconds();
    expect(await readUses(discountId)).toEqual({ heldCount: 0, soldCount: 0, availableCount: 1 });
    expect(await buyWith("LAST", other)).toMatchObject({ status: 201 });
  });

  it("comes back with a cancelled order, before the answer", async () => {
    const discountId = await makeCode("BACK", { maxUses: 1 });
    const buyer = await sale.makeBuyer();
    const orderId = idOf(await buyWith("BACK", buyer));
    const cancelled = await buyer.call("POST", `/api/v1/orders/${orderId}/cancel`, { key: "cancel", body: {} });
    expect(cancelled.status).toBe(200);
    expect(await readUses(discountId)).toEqual({ heldCount: 0, soldCount: 0, availableCount: 1 });
  });

  it("is one, however often and however fast the same request is sent", async () => {
    const discountId = await makeCode("ONCE", { maxUses: 3 });
    const buyer = await sale.makeBuyer();
    const answers = await Promise.all(Array.from({ length: 5 }, () => buyWith("ONCE", buyer, "same")));
    answers.push(await buyWith("ONCE", buyer, "same"));
    expect(new Set(answers.map(idOf)).size).toBe(1);
    expect(await readUses(discountId)).toEqual({ heldCount: 1, soldCount: 0, availableCount: 2 });
  });

  it("is used up by the payment, and stays so", async () => {
    const discountId = await makeCode("PAID", { maxUses: 3 });
    const buyer = await sale.makeBuyer();
    const orderId = idOf(await buyWith("PAID", buyer));
    await deliver({ orderId, amountCents: 8_100 });
    passFiveSeconds();
    expect(await readUses(discountId)).toEqual({ heldCount: 0, soldCount: 1, availableCount: 2 });
    await runDurableObjectAlarm(env.TICKET_TYPE_INVENTORY.getByName(discountStockName(discountId, "uses")));
    const listed = await sale.manager.call("GET", "/api/v1/discounts");
    expect(listed.body).toMatchObject({ items: [{ id: discountId, heldCount: 0, usedCount: 1 }] });
  });

  it("of one buyer is limited beside that of all", async () => {
    await makeCode("EACH", { maxUsesPerUser: 1 });
    const [one, other] = [await sale.makeBuyer(), await sale.makeBuyer()];
    expect(await buyWith("EACH", one)).toMatchObject({ status: 201 });
    expect(await buyWith("EACH", one)).toMatchObject({ status: 409, body: { code: "discount_exhausted" } });
    expect(await buyWith("EACH", other)).toMatchObject({ status: 201 });
  });
});

describe("the first tickets of an early bird", () => {
  it("are refused once they are gone, not sold at another price, while its orders are counted apart", async () => {
    await makeCode("BIRD", { percentBps: 500, type: "early_bird", firstTickets: 5, maxUses: 10 });
    const [one, other] = [await sale.makeBuyer(), await sale.makeBuyer()];
    expect(await buyWith("BIRD", one, "key", 4)).toMatchObject({ status: 201, body: { discountCents: 900 } });
    expect(await buyWith("BIRD", other, "two", 2)).toMatchObject({ status: 409, body: { code: "discount_exhausted" } });
    expect(await buyWith("BIRD", other, "one", 1)).toMatchObject({ status: 201, body: { discountCents: 225 } });
  });
});

describe("a payment that comes after the hold ran out", () => {
  async function payLate(isTaken: boolean): Promise<{ order: CheckedAnswer; discountId: string }> {
    const discountId = await makeCode("LATE", { maxUses: 1 });
    const [late, quick] = [await sale.makeBuyer(), await sale.makeBuyer()];
    const orderId = idOf(await buyWith("LATE", late));
    passFiveSeconds();
    if (isTaken) expect(await buyWith("LATE", quick)).toMatchObject({ status: 201 });
    await deliver({ orderId, amountCents: 8_100 });
    await deliver({ orderId, amountCents: 8_100 });
    await runDeskOf(orderId);
    return { order: await late.call("GET", `/api/v1/orders/${orderId}`), discountId };
  }

  it("takes the use again when it is still there", async () => {
    const { order, discountId } = await payLate(false);
    expect(order.body).toMatchObject({ status: "AWAITING_MINT", discountCents: 900 });
    expect(await readUses(discountId)).toEqual({ heldCount: 0, soldCount: 1, availableCount: 0 });
    expect(books.refunds).toEqual([]);
  });

  it("goes back, once, when somebody else has it: no seat is sold at a price that nobody may have", async () => {
    const { order, discountId } = await payLate(true);
    expect(order.body).toMatchObject({ status: "EXPIRED" });
    expect(books.refunds).toMatchObject([{ amountCents: 8_100 }]);
    expect(await readUses(discountId)).toEqual({ heldCount: 1, soldCount: 0, availableCount: 0 });
    expect(await sale.readStock()).toMatchObject({ heldCount: 2, soldCount: 0 });
  });
});

describe("a cap", () => {
  it("never falls below what is held and used, and a refused change changes nothing", async () => {
    const id = await makeCode("CAP", { maxUses: 5, type: "early_bird", percentBps: 100, firstTickets: 10 });
    for (const buyer of [await sale.makeBuyer(), await sale.makeBuyer()]) await buyWith("CAP", buyer);
    const before = await readUses(id);
    for (const body of [{ maxUses: 1 }, { maxUses: 4, firstTickets: 3 }]) {
      const refused = await sale.manager.call("PUT", `/api/v1/discounts/${id}`, { body });
      expect(refused).toMatchObject({ status: 409, body: { code: "capacity_below_committed" } });
      expect(await readUses(id)).toEqual(before);
    }
    const lowered = await sale.manager.call("PUT", `/api/v1/discounts/${id}`, { body: { maxUses: 2 } });
    expect(lowered).toMatchObject({ status: 200, body: { maxUses: 2, firstTickets: 10 } });
    expect(await buyWith("CAP", await sale.makeBuyer())).toMatchObject({ body: { code: "discount_exhausted" } });
    await sale.manager.call("PUT", `/api/v1/discounts/${id}`, { body: { maxUses: null } });
    expect(await buyWith("CAP", await sale.makeBuyer())).toMatchObject({ status: 201 });
  });
});

it("a capped code that was archived is refused by its own inventory, whoever still remembers it", async () => {
  const discountId = await makeCode("GONE", { maxUses: 5 });
  await sale.manager.call("DELETE", `/api/v1/discounts/${discountId}`);
  const stub = env.TICKET_TYPE_INVENTORY.getByName(discountStockName(discountId, "uses"));
  const use = { tenantId: sale.tenantId, reservationId: crypto.randomUUID(), userId: crypto.randomUUID(), quantity: 1 };
  expect(await stub.reserve([use])).toMatchObject({ outcomes: [{ ok: false, failure: { code: "not_on_sale" } }] });
});

it("a code that another isolate archived is unknown to everyone here after a second", async () => {
  const organiser = await makeOrganiser("user", sale.tenantId);
  const discountId = await makeCode("ELSEWHERE");
  const request = { ...sale.basket(1), discountCodes: ["ELSEWHERE"] };
  const quoteLater = (laterMs: number): ReturnType<typeof quoteOrder> =>
    quoteOrder(organiser.contextWith({ nowMs: Date.now() + laterMs }), request);
  expect(await quoteLater(0)).toMatchObject({ ok: true });
  await env.DB.prepare("UPDATE discounts SET archived_at_ms = 1 WHERE id = ?").bind(discountId).run();
  for (const laterMs of [2_000, 2_001, 2_500]) {
    expect(await quoteLater(laterMs)).toMatchObject({ failure: { code: "discount_unknown" } });
  }
});

it("a code that was read shortly before is good while D1 is down", async () => {
  const organiser = await makeOrganiser("user", sale.tenantId);
  await makeCode("OUTAGE");
  const request = { ...sale.basket(1), discountCodes: ["outage"] };
  expect(await quoteOrder(organiser.contextWith(), request)).toMatchObject({ ok: true });
  const inOutage = organiser.contextWith({ db: brokenDb, nowMs: Date.now() + 300_000 });
  expect(await quoteOrder(inOutage, request)).toMatchObject({ ok: true, value: { totals: { discountCents: 450 } } });
  const unread = { ...request, discountCodes: ["never read"] };
  await expect(quoteOrder(inOutage, unread)).rejects.toThrow("D1 is down");
});

describe("at the desk", () => {
  it("a code without a cap costs no call, and one with a cap costs one", () =>
    inDeskWorld(async (world) => {
      const lines = [{ ticketTypeId: await world.addType(10), quantity: 1 }];
      const capped = await world.addDiscount(10);
      const desk = world.openDesk();
      await desk.place(world.place("warm", lines));
      const countReserves = async (key: string, discounts: readonly (typeof capped)[]): Promise<number> => {
        const before = world.calls.length;
        expect(await desk.place({ ...world.place(key, lines), discounts })).toMatchObject({ ok: true });
        return world.calls.slice(before).filter((call) => call === "reserve").length;
      };
      expect(await countReserves("plain", [])).toBe(1);
      expect(await countReserves("uncapped", [{ ...capped, uses: [] }])).toBe(1);
      expect(await countReserves("capped", [capped])).toBe(2);
    }));

  it("gives back the uses of one code when another is used up", () =>
    inDeskWorld(async (world) => {
      const ticketTypeId = await world.addType(10);
      const [rich, poor] = [await world.addDiscount(10), await world.addDiscount(0)];
      const command = world.place("key", [{ ticketTypeId, quantity: 1 }]);
      const refused = await world.openDesk().place({ ...command, discounts: [rich, poor] });
      expect(refused).toMatchObject({ ok: false, failure: { code: "discount_exhausted" } });
      for (const name of [ticketTypeId, rich.uses[0]?.stockName ?? ""]) {
        expect(world.stock(name)).toEqual({ heldCount: 0, soldCount: 0 });
      }
    }));

  it("no order is stored whose totals are not the sums of its lines", () =>
    inDeskWorld(async (world) => {
      const command = world.place("key", [{ ticketTypeId: await world.addType(10), quantity: 1 }]);
      const desk = world.openDesk();
      for (const totals of [
        { ...command.totals, taxCents: command.totals.taxCents + 1 },
        { ...command.totals, discountCents: 1, totalCents: command.totals.totalCents - 1 },
      ]) {
        await expect(desk.place({ ...command, totals })).rejects.toThrow("broken invariant");
      }
      expect(await desk.place(command)).toMatchObject({ ok: true });
    }));

  it("gives seats and uses back when a second order for one hold is refused", () =>
    inDeskWorld(async (world) => {
      const lines = [{ ticketTypeId: await world.addType(10), quantity: 1 }];
      const capped = await world.addDiscount(10);
      const desk = world.openDesk();
      const held = await desk.hold({ request: world.request("hold", "", "hold"), eventId: world.eventId, lines });
      const reservationId = held.ok ? held.value.id : "";
      const orders = await Promise.all(
        ["one", "two"].map((key) => desk.place({ ...world.place(key, lines), reservationId, discounts: [capped] })),
      );
      expect(orders.filter((order) => order.ok)).toHaveLength(1);
      expect(world.stock(capped.uses[0]?.stockName ?? "")).toEqual({ heldCount: 1, soldCount: 0 });
      vi.setSystemTime(Date.now() + HOLD_MS);
      expect(world.stock(capped.uses[0]?.stockName ?? "")).toEqual({ heldCount: 0, soldCount: 0 });
    }));
});
