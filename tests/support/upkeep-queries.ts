/** The statements of cron and admin endpoints, for the test that holds every statement to an index. */
import type { DrizzleD1Database } from "drizzle-orm/d1";
import * as metrics from "#storage/reservation-metrics";
import { listOrphans } from "#storage/reservation-orphans";
import * as checks from "#storage/payment-checks";
import * as pruning from "#storage/prune";
import * as reconcile from "#storage/reconcile";
import { repairDiscountCounters } from "#storage/discounts";
import * as stale from "#storage/stale";

const tenantId = "t";
const snapshot = { capacity: 1, heldCount: 0, soldCount: 0, availableCount: 1, seq: 1, takenAtMs: 1 };
const selection = { tenantId, eventId: null, ticketTypeId: null };
const key = { ticketTypeId: "y", createdAtMs: 1, reservationId: "r" };
const payment = { createdAtMs: 1, orderId: "o", provider: "standard", paymentId: "p" };
const pageOwner = { tenantId, eventId: "e", ticketTypeId: "y", historySeq: 1 };
const storedCounters = { ticketTypeId: "y", eventId: "e", quantity: 1, heldCount: 0, soldCount: 0, countersSeq: 1 };

/** Calls by the name of their function. */
export const UPKEEP_QUERIES: Readonly<Record<string, (db: DrizzleD1Database, d1: D1Database) => Promise<unknown>>> = {
  findNextType: (_, d1) => reconcile.findNextType(d1, selection, "x"),
  "listReservationKeys, next page": (_, d1) => reconcile.listReservationKeys(d1, selection, key, 10),
  listReservationDifferences: (_, d1) => reconcile.listReservationDifferences(d1, pageOwner, []),
  repairReservations: (_, d1) => reconcile.repairReservations(d1, pageOwner, []),
  deleteReservationRows: (_, d1) => reconcile.deleteReservationRows(d1, []),
  markReservationsAhead: (_, d1) => reconcile.markReservationsAhead(d1, []),
  repairCounters: (_, d1) => reconcile.repairCounters(d1, tenantId, storedCounters, snapshot),
  listOrphans: (_, d1) => listOrphans(d1, tenantId, key, { window: 10, limit: 5, settledBeforeMs: 1 }),
  readReservationFigures: (_, d1) => metrics.readReservationFigures(d1, tenantId, { afterTypeId: "", limit: 20 }),
  listTypesWithStaleHolds: (_, d1) => stale.listTypesWithStaleHolds(d1, 1),
  listStaleOrderIds: (_, d1) => stale.listStaleOrderIds(d1, 1),
  listTypesBetween: (_, d1) => stale.listTypesBetween(d1, { from: "a", to: "c", first: "b", endsAfterMs: 1, limit: 10 }),
  listCappedBetween: (_, d1) => stale.listCappedBetween(d1, { from: "a", to: "c", first: "b", archivedAfterMs: 1, limit: 10 }),
  "repairDiscountCounters, uses": (_, d1) =>
    repairDiscountCounters(d1, { tenantId, discountId: "d", cap: "uses" }, 1, snapshot),
  "repairDiscountCounters, first tickets": (_, d1) =>
    repairDiscountCounters(d1, { tenantId, discountId: "d", cap: "first_tickets" }, 1, snapshot),
  listDueChecks: (_, d1) => checks.listDueChecks(d1, 1, 10),
  storeChecks: (_, d1) => checks.storeChecks(d1, [{ payment, checks: 1, nextCheckAtMs: 1 }]),
  listKnownEventIds: (_, d1) => checks.listKnownEventIds(d1, "standard", ["v"]),
  findUndeliveredCursor: (_, d1) => checks.findUndeliveredCursor(d1, "standard"),
  storeUndeliveredCursor: async (_, d1) => {
    for (const sinceMs of [1, null]) await checks.storeUndeliveredCursor(d1, "standard", sinceMs);
  },
  pruneWebhookNonces: (_, d1) => pruning.pruneWebhookNonces(d1, 1, 10),
  pruneChallenges: (_, d1) => pruning.pruneChallenges(d1, 1, 10),
  pruneIdempotencyKeys: (_, d1) => pruning.pruneIdempotencyKeys(d1, 1, 10),
};
