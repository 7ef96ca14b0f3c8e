/** The statements about orders and their money, for the test that holds every statement to an index. */
import type { DrizzleD1Database } from "drizzle-orm/d1";
import { projectDeskNews } from "#storage/desk-projection";
import { listDueRefunds, storeRefundChecks } from "#storage/refund-checks";
import * as refunds from "#storage/refunds";
import { insertUnmatchedEvent, type UnmatchedEvent } from "#storage/unmatched-events";

const tenantId = "t";
const TOLD = { tenantId, orderId: "o", ticketIds: ["k"], refundedCents: 1 };
const EVENT_OF_NOBODY = { provider: "standard", eventId: "v", type: "x", rawType: "x", occurredAtMs: 1 };
const UNMATCHED: UnmatchedEvent = { ...EVENT_OF_NOBODY, outcome: "rejected" };
// Bodies that D1 refuses for their foreign keys, which is all the same: the statements were sent.
const ORDER = { view: { id: "o", lines: [{}], payment: {} }, refunds: [{}] } as unknown as Parameters<
  typeof projectDeskNews
>[1]["orders"][number];
const TICKET = { id: "k" } as unknown as Parameters<typeof projectDeskNews>[1]["tickets"][number];
const RECALL = { tenantId, orderId: "o", eventId: "e", ticketIds: ["k"], cause: "refund", recalledAtMs: 1 } as const;
const PAYMENT_EVENT = { eventId: "v" } as unknown as Parameters<typeof projectDeskNews>[1]["paymentEvents"][number];

/** Calls by the name of their function. */
export const PAYMENT_QUERIES: Readonly<Record<string, (db: DrizzleD1Database, d1: D1Database) => Promise<unknown>>> = {
  listRefundRows: (db) => refunds.listRefundRows(db, tenantId, "o"),
  "hasHeardOfRefund of an order": (db) => refunds.hasHeardOfRefund(db, { ...TOLD, ticketIds: null }),
  "hasHeardOfRefund of tickets": (db) => refunds.hasHeardOfRefund(db, TOLD),
  listDueRefunds: (_, d1) => listDueRefunds(d1, 1, 1),
  storeRefundChecks: (_, d1) => storeRefundChecks(d1, [{ id: "r", checks: 1, nextCheckAtMs: 1 }]),
  insertUnmatchedEvent: (db) => insertUnmatchedEvent(db, UNMATCHED, 1),
  projectDeskNews: (_, d1) =>
    projectDeskNews(
      d1,
      { orders: [ORDER], newOrders: [ORDER], tickets: [TICKET], recalls: [RECALL], paymentEvents: [PAYMENT_EVENT] },
      1,
    ),
};
