import { env } from "cloudflare:workers";
import { drizzle } from "drizzle-orm/d1";
import { describe, expect, it } from "vitest";
import { leaseOrderNumbers } from "#storage/order-number-leases";
import { findOrderRow, listOrderRows } from "#storage/orders";
import { deriveIdWithin } from "#domain/ids";
import { findTicketRow, listStoredTicketIds, listTicketRows, listTicketRowsOfOrder } from "#storage/tickets";
import { insertUnmatchedEvent } from "#storage/unmatched-events";
import { makeValidRows, type Row } from "../support/valid-rows.ts";

const db = drizzle(env.DB);

async function insert(table: string, row: Row): Promise<void> {
  const columns = Object.keys(row);
  await env.DB.prepare(`INSERT INTO ${table} (${columns.join(", ")}) VALUES (${columns.map(() => "?").join(", ")})`)
    .bind(...Object.values(row))
    .run();
}

/** A tenant whose one buyer has so many orders of one ticket, several of them made in the same millisecond. */
async function makeBuyer(orderCount: number) {
  const rows = new Map(makeValidRows());
  const row = (table: string): Row => rows.get(table) ?? {};
  for (const table of ["events", "ticket_types"]) await insert(table, row(table));
  const [tenantId, userId] = [String(row("orders")["tenant_id"]), String(row("orders")["user_id"])];
  const orderIds: string[] = [];
  for (let made = 0; made < orderCount; made += 1) {
    const orderId = crypto.randomUUID();
    const ticketId = deriveIdWithin(orderId, ["1"]);
    const created_at_ms = 1_000 + Math.floor(made / 3);
    await insert("orders", {
      ...row("orders"),
      id: orderId,
      order_number: `ORD-${made}`,
      created_at_ms,
      hold_expires_at_ms: 5_000,
    });
    await insert("order_items", { ...row("order_items"), order_id: orderId });
    await insert("tickets", { ...row("tickets"), id: ticketId, order_id: orderId, created_at_ms });
    orderIds.push(orderId);
  }
  return { tenantId, userId, orderIds, row };
}

describe("a buyer's orders and tickets in D1", () => {
  it("come page by page, newest first, each once, also those of one millisecond", async () => {
    const { tenantId, userId, orderIds } = await makeBuyer(11);
    for (const list of [
      (after: { createdAtMs: number; id: string } | undefined) =>
        listOrderRows(db, { tenantId, userId, limit: 4, after, nowMs: 1 }),
      (after: { createdAtMs: number; id: string } | undefined) =>
        listTicketRows(db, { tenantId, ownerUserId: userId, limit: 4, after }),
    ]) {
      const seen: { id: string; createdAtMs: number }[] = [];
      for (let page = 0; page < 5; page += 1) {
        const found = await list(seen.at(-1));
        seen.push(...found.slice(0, 4));
        if (found.length <= 4) break;
      }
      expect(new Set(seen.map((item) => item.id)).size).toBe(orderIds.length);
      expect(seen.map((item) => item.createdAtMs)).toEqual(
        seen.map((item) => item.createdAtMs).toSorted((one, other) => other - one),
      );
    }
  });

  it("are not found for another tenant or another buyer", async () => {
    const { tenantId, userId, orderIds } = await makeBuyer(1);
    const [orderId = ""] = orderIds;
    const foreign = crypto.randomUUID();
    const [ticket] = await listTicketRowsOfOrder(db, tenantId, orderId);
    expect(await findOrderRow(db, tenantId, orderId, 1)).toMatchObject({ id: orderId, userId, lines: [{ lineNumber: 1 }] });
    expect(await findOrderRow(db, foreign, orderId, 1)).toBeUndefined();
    expect(await findTicketRow(db, foreign, ticket?.id ?? "")).toBeUndefined();
    expect(await listTicketRowsOfOrder(db, foreign, orderId)).toEqual([]);
    expect(await listOrderRows(db, { tenantId, userId: foreign, limit: 9, after: undefined, nowMs: 1 })).toEqual([]);
    expect(await listOrderRows(db, { tenantId: foreign, userId, limit: 9, after: undefined, nowMs: 1 })).toEqual([]);
    expect(await listStoredTicketIds(db, foreign, [ticket?.id ?? ""])).toEqual(new Set());
    expect(await listStoredTicketIds(db, tenantId, [ticket?.id ?? "", foreign])).toEqual(new Set([ticket?.id]));
  });

  it("keep their tickets apart, also when their ids begin alike", async () => {
    const { tenantId, orderIds, row } = await makeBuyer(1);
    const [orderId = ""] = orderIds;
    const twin = deriveIdWithin(orderId, ["a twin"]);
    const ticketId = deriveIdWithin(twin, ["1"]);
    await insert("orders", { ...row("orders"), id: twin, order_number: "ORD-twin" });
    await insert("tickets", { ...row("tickets"), id: ticketId, order_id: twin });
    const idsOf = async (id: string): Promise<string[]> =>
      (await listTicketRowsOfOrder(db, tenantId, id)).map((ticket) => ticket.id);
    expect(await idsOf(orderId)).toEqual([deriveIdWithin(orderId, ["1"])]);
    expect(await idsOf(twin)).toEqual([ticketId]);
  });

  it("read expired once the hold has run out, whether or not the desk has said so", async () => {
    const { tenantId, orderIds } = await makeBuyer(1);
    const read = async (nowMs: number): Promise<unknown> =>
      (await findOrderRow(db, tenantId, orderIds[0] ?? "", nowMs))?.status;
    expect(await read(4_999)).toBe("PENDING");
    expect(await read(5_000)).toBe("EXPIRED");
    await env.DB.prepare("UPDATE orders SET status = 'PAID' WHERE id = ?")
      .bind(orderIds[0] ?? "")
      .run();
    expect(await read(5_000)).toBe("PAID");
  });

  it("of a full page of 100 all have their lines", async () => {
    const { tenantId, userId } = await makeBuyer(101);
    const rows = await listOrderRows(db, { tenantId, userId, limit: 100, after: undefined, nowMs: 1 });
    expect(rows).toHaveLength(101);
    expect(rows.slice(0, 100).every((row) => row.lines.length === 1)).toBe(true);
  });
});

it("leases of order numbers never overlap, however many desks ask at once, and stop when a tenant's digits are used up", async () => {
  const tenantId = crypto.randomUUID();
  const blocks = await Promise.all(
    Array.from({ length: 50 }, (_, asked) => leaseOrderNumbers(env.DB, tenantId, `key-${asked}`)),
  );
  expect(new Set(blocks.map((block) => block.nextIndex)).size).toBe(50);
  expect(new Set(blocks.map((block) => block.shuffleKey)).size).toBe(1);
  await env.DB.prepare("UPDATE order_number_leases SET next_block = 100000 WHERE tenant_id = ?").bind(tenantId).run();
  await expect(leaseOrderNumbers(env.DB, tenantId, "key")).rejects.toThrow("broken invariant");
});

it("an event of no order is kept once for the people who reconcile", async () => {
  const [eventId, rawType] = [crypto.randomUUID(), "charge.succeeded"];
  const event = {
    provider: "stripe",
    eventId,
    type: "payment.succeeded",
    rawType,
    outcome: "rejected",
    occurredAtMs: 1,
  } as const;
  for (const nowMs of [2, 3]) await insertUnmatchedEvent(db, event, nowMs);
  const { results } = await env.DB.prepare(
    "SELECT outcome, raw_type, order_id, received_at_ms FROM payment_events WHERE event_id = ?",
  )
    .bind(eventId)
    .all();
  expect(results).toEqual([{ outcome: "rejected", raw_type: rawType, order_id: null, received_at_ms: 2 }]);
});
