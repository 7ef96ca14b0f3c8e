/** The statements of outgoing events, for the test that holds every statement to an index. */
import type { DrizzleD1Database } from "drizzle-orm/d1";
import * as events from "#storage/outgoing-events";
import * as deliveries from "#storage/webhook-deliveries";
import * as endpoints from "#storage/webhook-endpoints";
import * as runs from "#storage/webhook-runs";

const key = { tenantId: "t", id: "w" };
const page = { tenantId: "t", endpointId: "w", limit: 20, after: { createdAtMs: 1, id: "o" } };
const secrets = { sealedSecret: "s", previousSealedSecret: null, previousUntilMs: null, sealedWith: 1 };
const endpoint = { ...key, ...secrets, url: "u", description: null, eventTypes: [], createdAtMs: 1 };
const lease = { ...key, ...secrets, url: "u", failingSinceMs: null, leasedUntilMs: 2 };
const attempt = {
  id: "d",
  attempts: 0,
  status: "SUCCEEDED",
  failures: 0,
  nextAttemptAtMs: null,
  attemptedAtMs: 1,
  lastStatus: 200,
  lastError: null,
} as const;
const health = { failingSinceMs: null, restsUntilMs: null, disabledBecause: null };
const delivery = { id: "d", endpointId: "w", outboxId: 1, eventId: "e", body: "{}" };

/** Calls by the name of their function. */
export const WEBHOOK_QUERIES: Readonly<Record<string, (db: DrizzleD1Database, d1: D1Database) => Promise<unknown>>> = {
  insertEndpointRow: (_, d1) => endpoints.insertEndpointRow(d1, endpoint, 20),
  findEndpointRow: (db) => endpoints.findEndpointRow(db, "t", "w"),
  "listEndpointRows, first page": (db) => endpoints.listEndpointRows(db, { ...page, after: undefined }),
  "listEndpointRows, next page": (db) => endpoints.listEndpointRows(db, page),
  endEndpoint: (db) => endpoints.endEndpoint(db, key, 1),
  replaceSecret: (db) => endpoints.replaceSecret(db, { ...key, sealedSecret: "s" }, secrets),
  activateEndpoint: (db) => endpoints.activateEndpoint(db, key),
  listEndpointsSealedWithOthers: (db) => endpoints.listEndpointsSealedWithOthers(db, 1, 100),
  pruneEndpoints: (_, d1) => endpoints.pruneEndpoints(d1, 1, 10),
  "listDeliveryRows, first page": (db) => deliveries.listDeliveryRows(db, { ...page, after: undefined }),
  "listDeliveryRows, next page": (db) => deliveries.listDeliveryRows(db, page),
  makeDeliveryDue: (_, d1) => deliveries.makeDeliveryDue(d1, { tenantId: "t", endpointId: "w", id: "d" }, 1),
  pruneDeliveries: (_, d1) => deliveries.pruneDeliveries(d1, 1, 10),
  "listWantedEvents, first page": (_, d1) => events.listWantedEvents(d1, 1, 50),
  storeDeliveries: (_, d1) => events.storeDeliveries(d1, [1], [delivery], 1),
  "listDueEndpoints, first page": (_, d1) => runs.listDueEndpoints(d1, 1, 100),
  leaseEndpoint: (_, d1) => runs.leaseEndpoint(d1, "w", 1, 2),
  "storeAttempts, next page": (_, d1) => runs.storeAttempts(d1, { lease, attempts: [attempt], nowMs: 1, limit: 6 }),
  releaseEndpoint: (_, d1) => runs.releaseEndpoint(d1, lease, health, 1),
};
