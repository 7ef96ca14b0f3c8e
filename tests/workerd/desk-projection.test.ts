import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { deriveId } from "#domain/ids";
import type { OrderRecord } from "#domain/order";
import { ticketsOf } from "#domain/order-tickets";
import { isD1ConstraintError } from "#storage/d1-errors";
import { projectDeskNews } from "#storage/desk-projection";
import { later, makeSale, project } from "../support/projected-sale.ts";

async function dump(tenantId: string): Promise<unknown> {
  const tables = ["orders", "order_items", "idempotency_keys", "payments", "refunds", "tickets", "mint_jobs", "payment_events"];
  const results = await env.DB.batch(
    tables.map((table) => env.DB.prepare(`SELECT * FROM ${table} WHERE tenant_id = ? ORDER BY 1, 2`).bind(tenantId)),
  );
  return results.map((result) => result.results);
}

describe("news of a desk", () => {
  it("told twice, or older after newer, change nothing", async () => {
    const { tenantId, makeOrder } = await makeSale();
    const placed = makeOrder("ORD-1");
    const refund = {
      id: deriveId(1, [placed.view.id, "r"]),
      provider: "standard",
      paymentId: "p",
      providerRefundId: null,
      amountCents: 5,
      currency: "EUR",
      reason: "paid_twice",
      ticketIds: [],
      note: null,
      createdAtMs: 4,
    } as const;
    const paidView = {
      ...placed.view,
      paidAtMs: 4,
      payment: placed.view.payment && { ...placed.view.payment, status: "SUCCEEDED" as const },
    };
    const paid = later(placed, 3, "AWAITING_MINT", {
      view: { ...paidView, status: "AWAITING_MINT" },
      refunds: [{ ...refund, status: "submitted" }],
    });
    const event = {
      provider: "standard",
      eventId: crypto.randomUUID(),
      tenantId,
      orderId: placed.view.id,
      type: "payment.succeeded",
      rawType: "payment.succeeded",
      reason: null,
      outcome: "applied",
      attempts: 1,
      occurredAtMs: 3,
      receivedAtMs: 4,
    } as const;
    const news = { orders: [paid], tickets: ticketsOf(paid), paymentEvents: [event] };
    await project(news);
    const before = await dump(tenantId);
    await project(news);
    await project({ orders: [placed] });
    await project({ orders: [later(paid, 2, "PENDING", { refunds: [{ ...refund, status: "created" }] })] });
    expect(await dump(tenantId)).toEqual(before);
    expect(before).toMatchObject([
      [{ status: "AWAITING_MINT", paid_at_ms: 4 }],
      [{}],
      [{}],
      [{ status: "SUCCEEDED" }],
      [{ status: "submitted" }],
      [{}, {}],
      [{}, {}],
      [{}],
    ]);
  });

  it("never lower a status that the mint raised, whichever of the two writes first", async () => {
    const { makeOrder, readStatus } = await makeSale();
    const mint = (id: string): Promise<unknown> =>
      env.DB.prepare("UPDATE orders SET status = 'COMPLETED' WHERE id = ? AND status_rank < 7").bind(id).run();
    const order = makeOrder("ORD-1");
    await project({ orders: [later(order, 2, "AWAITING_MINT")] });
    await mint(order.view.id);
    await project({ orders: [later(order, 3, "AWAITING_MINT")] });
    expect(await readStatus(order.view.id)).toBe("COMPLETED");
    await project({ orders: [later(order, 4, "REFUNDED")] });
    await mint(order.view.id);
    expect(await readStatus(order.view.id)).toBe("REFUNDED");
  });

  it("are refused whole when one row is, and told apart from a database that is down", async () => {
    const { tenantId, makeOrder } = await makeSale();
    const [good, twin] = [makeOrder("ORD-1"), makeOrder("ORD-2")];
    const sameNumber = { ...twin, view: { ...twin.view, orderNumber: "ORD-1" } };
    const refusal: unknown = await project({ orders: [good, sameNumber] }).catch((error: unknown) => error);
    expect(isD1ConstraintError(refusal)).toBe(true);
    expect(await dump(tenantId)).toEqual([[], [], [], [], [], [], [], []]);
  });

  it("of an order whose event is lost are refused before anything is read to find who refers to the order", async () => {
    const { makeOrder } = await makeSale();
    const refused = project({ orders: [makeOrder("ORD-1", { eventId: crypto.randomUUID() })] });
    await expect(refused).rejects.toSatisfy(isD1ConstraintError);
    // A foreign key says so only after it has read all tickets, for each of the orders.
    await expect(refused).rejects.toThrow("NOT NULL constraint failed: orders.event_id");
  });

  it("hold every order's total to its lines, whoever computes them", async () => {
    const { makeOrder } = await makeSale();
    for (const wrong of [{ totalCents: 1_999 }, { feeCents: 1 }, { taxCents: -1 }]) {
      const refusal: unknown = await project({ orders: [makeOrder("ORD-1", wrong)] }).catch((error: unknown) => error);
      expect(isD1ConstraintError(refusal)).toBe(true);
    }
  });

  it("never leave an order in D1 that is not the sum of its lines", async () => {
    const { tenantId, makeOrder } = await makeSale();
    const sums = { subtotalCents: 4_000, discountCents: 300, feeCents: 0, taxCents: 70, totalCents: 3_700 };
    const order = makeOrder("ORD-1", sums);
    const [line] = order.view.lines;
    if (!line) throw new Error("no line");
    const lines = [
      { ...line, discountCents: 100, totalCents: 1_900, taxCents: 30 },
      { ...line, lineNumber: 2, discountCents: 200, totalCents: 1_800, taxCents: 40 },
    ];
    const withLines = (change: Partial<typeof line>): OrderRecord => {
      const [first = line, second = line] = lines;
      return { ...order, view: { ...order.view, lines: [first, { ...second, ...change }] } };
    };
    for (const wrong of [{ taxCents: 41 }, { discountCents: 201, totalCents: 1_799 }, { quantity: 1, totalCents: 800 }]) {
      const told = withLines(wrong);
      const refusal: unknown = await project({ orders: [told], newOrders: [told] }).catch((error: unknown) => error);
      expect(isD1ConstraintError(refusal), JSON.stringify(wrong)).toBe(true);
    }
    expect(await dump(tenantId)).toEqual([[], [], [], [], [], [], [], []]);
    const right = withLines({});
    await project({ orders: [right], newOrders: [right] });
    const count = env.DB.prepare("SELECT COUNT(*) AS n FROM order_items WHERE order_id = ?").bind(right.view.id);
    expect(await count.first("n")).toBe(2);
  });

  it("of any size are bound in pieces that D1 takes", async () => {
    const { tenantId, makeOrder } = await makeSale();
    const order = later(makeOrder("ORD-1"), 2, "AWAITING_MINT");
    const [ticket] = ticketsOf({ ...order, view: { ...order.view, paidAtMs: 4 } });
    if (!ticket) throw new Error("no ticket");
    const tickets = Array.from({ length: 4_000 }, (_, seat) => ({ ...ticket, id: deriveId(1, [tenantId, String(seat)]) }));
    const lengths: number[] = [];
    const measure = (statement: D1PreparedStatement): D1PreparedStatement =>
      new Proxy(statement, {
        get: (target, name) => {
          if (name !== "bind") return Reflect.get(target, name) as unknown;
          return (...values: unknown[]) => {
            lengths.push(...values.map((value) => String(value).length));
            return target.bind(...values);
          };
        },
      });
    const db = {
      prepare: (query: string) => measure(env.DB.prepare(query)),
      batch: (statements: D1PreparedStatement[]) => env.DB.batch(statements),
    };
    await projectDeskNews(
      db as unknown as D1Database,
      { orders: [order], newOrders: [order], tickets, recalls: [], paymentEvents: [] },
      5,
    ); // all it uses
    expect(Math.max(...lengths)).toBeLessThan(1_000_000);
    expect(await env.DB.prepare("SELECT COUNT(*) AS n FROM mint_jobs WHERE tenant_id = ?").bind(tenantId).first("n")).toBe(
      4_000,
    );
  });
});
