import { randomUUID } from "node:crypto";
import type { BenchWorld } from "./bench-world.ts";
import { issueTickets } from "./bench-world.ts";
import type { LoadPlan } from "./load-plan.ts";
import { signScanBodies } from "./scan-bodies.ts";

/** What is measured; the first two are ceilings of the bare runtime. */
export const OPERATION_NAMES = [
  "bare insert",
  "bare hello",
  "reservations",
  "purchases",
  "purchases of 64",
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
    name: "purchases",
    ceiling: "bare insert",
    aimedRatio: 0.6,
    does: "POST /api/v1/purchase on one type, payment made at once",
  },
  {
    name: "purchases of 64",
    ceiling: "bare insert",
    aimedRatio: undefined,
    does: "POST /api/v1/purchase on 64 types in turn, payment made at once",
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

/** Where the loads go, and the ring that codes are signed with. */
export interface Targets {
  readonly bareUrl: string;
  readonly world: BenchWorld;
  readonly credentialKeys: string;
}

/** The requests of an operation, every one of them new. For scans: issues tickets and signs their codes, which takes seconds. */
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
  switch (name) {
    case "bare insert":
      return { ...bare, method: "POST", bodies: [basket(world.heldTypeId)], expectedStatus: 201 };
    case "bare hello":
      return { ...bare, method: "GET", expectedStatus: 200 };
    case "reservations":
      return { ...sale, path: "/api/v1/tickets/purchase", bodies: [basket(world.heldTypeId)], expectedText: `"expiresAt"` };
    case "purchases":
      return { ...sale, path: "/api/v1/purchase", bodies: [basket(world.soldTypeId)], expectedText: `"redirect"` };
    case "purchases of 64": {
      const bodies = world.spreadTypeIds.map((typeId) => basket(typeId, world.spreadEventId));
      return { ...sale, path: "/api/v1/purchase", bodies, expectedText: `"redirect"` };
    }
    case "scans": {
      const seconds = (pace.warmUpMs + pace.measureMs) / 1000;
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
