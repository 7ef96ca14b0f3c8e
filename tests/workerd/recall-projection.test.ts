import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { deriveId } from "#domain/ids";
import { ticketsOf } from "#domain/order-tickets";
import { isD1ConstraintError } from "#storage/d1-errors";
import type { RecalledTickets, RecordedPaymentEvent } from "#storage/desk-projection";
import { later, makeSale, project } from "../support/projected-sale.ts";
import { wantEvents } from "../support/want-events.ts";

type Row = Record<string, unknown>;

/** Rows of a tenant; of the outbox those that tell of cancelled tickets. */
async function rowsOf(table: string, tenantId: string): Promise<Row[]> {
  const topic = table === "outbox" ? "AND topic = 'ticket.canceled'" : "";
  return (await env.DB.prepare(`SELECT * FROM ${table} WHERE tenant_id = ? ${topic} ORDER BY 1`).bind(tenantId).all<Row>())
    .results;
}

/** A paid order of two tickets that D1 knows, and the news that they are dead. */
async function sellTwo() {
  const sale = await makeSale();
  await wantEvents(sale);
  const { tenantId, eventId } = sale;
  const placed = sale.makeOrder("ORD-1");
  const paid = later(placed, 2, "AWAITING_MINT", { view: { ...placed.view, status: "AWAITING_MINT", paidAtMs: 4 } });
  const tickets = ticketsOf(paid);
  await project({ orders: [paid], tickets });
  const recall = (ticketIds: readonly string[], changes: Partial<RecalledTickets> = {}): RecalledTickets => {
    const whose = { tenantId, orderId: paid.view.id, eventId };
    return { ...whose, ticketIds, cause: "refund", recalledAtMs: 9, ...changes };
  };
  const [first = "", second = ""] = tickets.map((ticket) => ticket.id);
  const statusOf = async (id: string): Promise<unknown> =>
    env.DB.prepare("SELECT status FROM tickets WHERE id = ?").bind(id).first("status");
  return { ...sale, paid, tickets, recall, first, second, statusOf };
}

describe("recalled tickets", () => {
  it("are cancelled in D1, with the burn of their asset and their owner's event, and the others are left alone", async () => {
    const { tenantId, eventId, paid, recall, first, second, statusOf } = await sellTwo();
    await project({ recalls: [recall([first])] });
    expect([await statusOf(first), await statusOf(second)]).toEqual(["CANCELLED", "SOLD"]);
    expect(await rowsOf("asset_burns", tenantId)).toMatchObject([{ ticket_id: first, status: "QUEUED", queued_at_ms: 9 }]);
    const [event, ...others] = await rowsOf("outbox", tenantId);
    expect(others).toEqual([]);
    expect(event).toMatchObject({ topic: "ticket.canceled", created_at_ms: 9, next_attempt_at_ms: 9, attempts: 0 });
    expect(JSON.parse(String(event?.["body"]))).toEqual({
      ticketId: first,
      orderId: paid.view.id,
      eventId,
      ownerUserId: "buyer",
      reason: "refund",
    });
  });

  it("are told to their owner once, however often the news comes and whatever else it says", async () => {
    const { tenantId, paid, tickets, recall, first, second, statusOf } = await sellTwo();
    const news = { orders: [paid], newOrders: [], tickets, recalls: [recall([first]), recall([second])] };
    await project(news);
    const before = [await rowsOf("outbox", tenantId), await rowsOf("asset_burns", tenantId)];
    await project(news);
    await project({ recalls: [recall([first, second], { recalledAtMs: 20, cause: "dispute_lost" })] });
    expect([await rowsOf("outbox", tenantId), await rowsOf("asset_burns", tenantId)]).toEqual(before);
    expect(before.map((rows) => rows.length)).toEqual([2, 2]);
    expect([await statusOf(first), await statusOf(second)]).toEqual(["CANCELLED", "CANCELLED"]);
  });

  it("are told to whoever owns them by then, also when they were let in", async () => {
    const { tenantId, recall, first, second, statusOf } = await sellTwo();
    await env.DB.batch([
      env.DB.prepare("UPDATE tickets SET status = 'TRANSFERRED', owner_user_id = 'friend' WHERE id = ?").bind(first),
      env.DB.prepare("UPDATE tickets SET status = 'USED' WHERE id = ?").bind(second),
    ]);
    await project({ recalls: [recall([first, second])] });
    expect([await statusOf(first), await statusOf(second)]).toEqual(["CANCELLED", "CANCELLED"]);
    const told = (await rowsOf("outbox", tenantId)).map(({ body }) => JSON.parse(String(body)) as Row);
    expect(new Map(told.map((body) => [body["ticketId"], body["ownerUserId"]]))).toEqual(
      new Map([
        [first, "friend"],
        [second, "buyer"],
      ]),
    );
  });

  it("that were issued in the same delivery are there first, and then cancelled", async () => {
    const sale = await makeSale();
    await wantEvents(sale);
    const { tenantId, eventId, makeOrder } = sale;
    const placed = makeOrder("ORD-1");
    const paid = later(placed, 3, "REFUNDED", { view: { ...placed.view, status: "REFUNDED", paidAtMs: 4 } });
    const tickets = ticketsOf(paid);
    const dead = { tenantId, orderId: paid.view.id, eventId, cause: "refund", recalledAtMs: 9 } as const;
    await project({ orders: [paid], tickets, recalls: [{ ...dead, ticketIds: tickets.map((ticket) => ticket.id) }] });
    expect((await rowsOf("tickets", tenantId)).map((row) => row["status"])).toEqual(["CANCELLED", "CANCELLED"]);
    expect(await rowsOf("outbox", tenantId)).toHaveLength(2);
  });

  it("that D1 has not heard of yet are refused, so that the news is told again and not lost", async () => {
    const { tenantId, recall } = await sellTwo();
    const unknown = deriveId(1, [crypto.randomUUID()]);
    const refusal: unknown = await project({ recalls: [recall([unknown])] }).catch((error: unknown) => error);
    expect(isD1ConstraintError(refusal)).toBe(true);
    expect(await rowsOf("outbox", tenantId)).toEqual([]);
  });

  it("of another tenant stay valid", async () => {
    const { recall, first, statusOf } = await sellTwo();
    await project({ recalls: [recall([first], { tenantId: crypto.randomUUID() })] });
    expect(await statusOf(first)).toBe("SOLD");
  });
});

describe("a refund", () => {
  it("is kept with the tickets it pays back and why, and the order with what went back", async () => {
    const { tenantId, paid, first } = await sellTwo();
    const refund = {
      id: deriveId(1, [paid.view.id, "refund"]),
      provider: "standard",
      paymentId: "p",
      providerRefundId: null,
      status: "created",
      amountCents: 1_000,
      currency: "EUR",
      reason: "requested",
      ticketIds: [first],
      note: 'The "seat" broke',
      createdAtMs: 8,
    } as const;
    const view = { ...paid.view, refundedCents: 1_000 };
    await project({ orders: [later(paid, 3, "AWAITING_MINT", { view, refunds: [refund] })], newOrders: [] });
    expect(await rowsOf("refunds", tenantId)).toMatchObject([
      { reason: "requested", note: 'The "seat" broke', ticket_ids: JSON.stringify([first]), amount_cents: 1_000 },
    ]);
    expect(await rowsOf("orders", tenantId)).toMatchObject([{ refunded_cents: 1_000 }]);
    // Older news, from before the refund, comes late.
    await project({ orders: [paid], newOrders: [] });
    expect(await rowsOf("orders", tenantId)).toMatchObject([{ refunded_cents: 1_000 }]);
  });
});

describe("a payment event", () => {
  it("shows what was decided last, whichever news comes last", async () => {
    const { tenantId, paid } = await sellTwo();
    const waiting: RecordedPaymentEvent = {
      provider: "standard",
      eventId: crypto.randomUUID(),
      tenantId,
      orderId: paid.view.id,
      type: "refund.succeeded",
      rawType: "charge.refunded",
      reason: null,
      outcome: "recorded",
      attempts: 1,
      occurredAtMs: 3,
      receivedAtMs: 4,
    };
    const applied = { ...waiting, outcome: "applied", attempts: 2 } as const;
    await project({ paymentEvents: [waiting] });
    expect(await rowsOf("payment_events", tenantId)).toMatchObject([
      { outcome: "recorded", attempts: 1, raw_type: "charge.refunded" },
    ]);
    await project({ paymentEvents: [applied] });
    await project({ paymentEvents: [waiting] });
    expect(await rowsOf("payment_events", tenantId)).toMatchObject([{ outcome: "applied", attempts: 2 }]);
  });
});
