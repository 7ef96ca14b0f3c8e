import { randomUUID } from "node:crypto";
import { UP_TO_THE_ORDER } from "./bench-bundle.ts";
import type { BenchWorld } from "./bench-world.ts";
import { issueTickets } from "./bench-world.ts";
import type { LoadPlan } from "./load-plan.ts";
import { signScanBodies } from "./scan-bodies.ts";
import { prepareWebhooks } from "./webhook-load.ts";

/** What is measured; the first two are ceilings of the bare runtime. */
export const OPERATION_NAMES = [
  "bare insert",
  "bare hello",
  "reservations",
  "orders placed",
  "purchases",
  "purchases of 64",
  "webhooks settled",
  "scans",
  "reads",
] as const;
export type OperationName = (typeof OPERATION_NAMES)[number];

/** An operation of the service, its ceiling, and the share of it that the service aims at. */
export interface Operation {
  readonly name: OperationName;
  readonly ceiling: "bare insert" | "bare hello";
  /** Undefined: shown without an aim. */
  readonly aimedRatio: number | undefined;
  readonly does: string;
}

/** The service's operations. */
export const OPERATIONS: readonly Operation[] = [
  { name: "reservations", ceiling: "bare insert", aimedRatio: 1, does: "POST /api/v1/tickets/purchase on one type" },
  {
    name: "orders placed",
    ceiling: "bare insert",
    aimedRatio: 0.6,
    does: "POST /api/v1/purchase on one type, up to the durable order: no payment is stored",
  },
  {
    name: "purchases",
    ceiling: "bare insert",
    aimedRatio: undefined,
    does: "POST /api/v1/purchase on one type, payment made at once",
  },
  {
    name: "purchases of 64",
    ceiling: "bare insert",
    aimedRatio: undefined,
    does: "POST /api/v1/purchase on 64 types in turn, payment made at once",
  },
  {
    name: "webhooks settled",
    ceiling: "bare insert",
    aimedRatio: 0.5,
    does: "POST /api/v1/webhooks/payments/standard, each pays another order and issues its ticket",
  },
  { name: "scans", ceiling: "bare insert", aimedRatio: 0.8, does: "POST /api/v1/validation/scan, each ticket once" },
  { name: "reads", ceiling: "bare hello", aimedRatio: 0.3, does: "GET /api/v1/tickets/types/:id" },
];

/** How a load is driven. */
export interface Pace {
  readonly connections: number;
  readonly warmUpMs: number;
  readonly measureMs: number;
}

/** Scans a second that the tickets prepared for one load are enough for. */
const MOST_SCANS_PER_SECOND = 6_000;

/** Events a second that the orders placed for one load are enough for. */
const MOST_WEBHOOKS_PER_SECOND = 2_500;
/** Longer than all the orders of a load take to place: it ends when they are. */
const LONGEST_PLACING_MS = 120_000;

/** Where the loads go, the ring that codes are signed with, and the secret that the payment provider signs with. */
export interface Targets {
  readonly bareUrl: string;
  readonly world: BenchWorld;
  readonly credentialKeys: string;
  readonly webhookSecret: string;
}

/** The requests of an operation, every one of them new. Tickets to scan and orders to pay are made here first, which takes seconds. */
export async function planLoad(name: OperationName, targets: Targets, pace: Pace): Promise<LoadPlan> {
  const { bareUrl, world } = targets;
  const basket = (ticketTypeId: string, eventId = world.eventId): string =>
    JSON.stringify({ eventId, tickets: [{ ticketTypeId, quantity: 1 }] });
  const common = { ...pace, eachBodyOnce: false, expectedText: "", headers: [], bodies: [] };
  const service = { ...common, origin: world.serviceUrl };
  const bare = { ...common, origin: bareUrl, path: "/" };
  const sale = {
    ...service,
    method: "POST",
    headers: world.buyers,
    keyPrefix: `${randomUUID()}-`,
    expectedStatus: 201,
  } as const;
  const seconds = (pace.warmUpMs + pace.measureMs) / 1000;
  switch (name) {
    case "bare insert":
      return { ...bare, method: "POST", bodies: [basket(world.heldTypeId)], expectedStatus: 201 };
    case "bare hello":
      return { ...bare, method: "GET", expectedStatus: 200 };
    case "reservations":
      return { ...sale, path: "/api/v1/tickets/purchase", bodies: [basket(world.heldTypeId)], expectedText: `"expiresAt"` };
    case "orders placed": {
      const path = `/api/v1/purchase${UP_TO_THE_ORDER}`;
      return { ...sale, path, bodies: [basket(world.soldTypeId)], expectedText: `"status":"PENDING"` };
    }
    case "purchases":
      return { ...sale, path: "/api/v1/purchase", bodies: [basket(world.soldTypeId)], expectedText: `"redirect"` };
    case "purchases of 64": {
      const bodies = world.spreadTypeIds.map((typeId) => basket(typeId, world.spreadEventId));
      return { ...sale, path: "/api/v1/purchase", bodies, expectedText: `"redirect"` };
    }
    case "webhooks settled": {
      const count = Math.ceil(seconds * MOST_WEBHOOKS_PER_SECOND);
      const bodies = Array.from({ length: count }, () => basket(world.soldTypeId));
      const placing = { bodies, eachBodyOnce: true, warmUpMs: 0, measureMs: LONGEST_PLACING_MS };
      const purchases = { ...sale, ...placing, path: "/api/v1/purchase", expectedText: `"redirect"` };
      const webhooks = await prepareWebhooks(world, purchases, targets.webhookSecret);
      const path = "/api/v1/webhooks/payments/standard";
      const expected = { expectedStatus: 200, expectedText: `"received":true` };
      return { ...service, ...webhooks, ...expected, method: "POST", path, eachBodyOnce: true };
    }
    case "scans": {
      const ticketIds = await issueTickets(world, Math.ceil(seconds * MOST_SCANS_PER_SECOND));
      const bodies = await signScanBodies(world, targets.credentialKeys, ticketIds);
      const scans = { headers: world.scanners, bodies, eachBodyOnce: true, expectedText: `"admitted"` };
      return { ...service, ...scans, method: "POST", path: "/api/v1/validation/scan", expectedStatus: 200 };
    }
    case "reads": {
      const path = `/api/v1/tickets/types/${world.heldTypeId}`;
      return {
        ...service,
        method: "GET",
        path,
        headers: world.visitors,
        expectedStatus: 200,
        expectedText: `"availableCount"`,
      };
    }
  }
}
