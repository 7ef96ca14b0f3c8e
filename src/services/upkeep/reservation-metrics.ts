import { deskNumbersOfTenant } from "#domain/ids";
import type { ReservationStatus } from "#domain/statuses";
import type { Backlog } from "#domain/upkeep-messages";
import {
  MOST_RESERVATIONS_COUNTED,
  readReservationFigures,
  type StatusCount,
  type StockSums,
} from "#storage/reservation-metrics";
import type { SignedInContext } from "../context.ts";

/** Stock in tickets, as D1 has it. heldCount + soldCount + availableCount = quantity. */
export interface StockMetrics extends StockSums {
  readonly availableCount: number;
}

/** Reservations by what became of them. */
export type ReservationCounts = Readonly<Record<"activeCount" | "completedCount" | "cancelledCount" | "expiredCount", number>>;

/** One ticket type. */
export interface TypeMetrics {
  readonly ticketTypeId: string;
  readonly eventId: string;
  readonly name: string;
  readonly stock: StockMetrics;
  readonly reservations: ReservationCounts;
  readonly backlog: Backlog;
}

/** A tenant's reservations at one moment; `items` is a page of its ticket types. */
export interface ReservationMetrics {
  readonly stock: StockMetrics;
  /** Of the whole tenant. `isComplete` is false when there are more than were counted. */
  readonly reservations: ReservationCounts & { readonly isComplete: boolean };
  /** What the page's inventories and the tenant's desks have not told D1 yet. */
  readonly projection: Backlog & { readonly lagMs: number };
  readonly items: readonly TypeMetrics[];
  readonly nextCursor: string | null;
}

/** Counters of the tenant's reservations, and how far D1 is behind the objects that decide. */
export async function readReservationMetrics(
  ctx: SignedInContext,
  page: { readonly limit: number; readonly cursor: string | null },
): Promise<ReservationMetrics> {
  const { tenantId } = ctx.principal;
  const position = { afterTypeId: page.cursor ?? "", limit: page.limit };
  const { totals, types, counts } = await readReservationFigures(ctx.d1, tenantId, position);
  const shown = types.slice(0, page.limit);
  const desks = deskNumbersOfTenant(tenantId, ctx.desksPerTenant);
  const [ofTypes, ofDesks] = await Promise.all([
    Promise.all(shown.map((type) => ctx.upkeep.inventory(type.ticketTypeId).measureBacklog())),
    Promise.all(desks.map((number) => ctx.upkeep.desk(number).measureBacklog())),
  ]);
  const items = shown.map(({ ticketTypeId, eventId, name, ...sums }, at) => ({
    ticketTypeId,
    eventId,
    name,
    stock: withAvailable(sums),
    reservations: countByStatus(counts.filter((count) => count.ticketTypeId === ticketTypeId)),
    backlog: addBacklogs(ofTypes.slice(at, at + 1)),
  }));
  const projection = addBacklogs([...ofTypes, ...ofDesks]);
  const counted = counts.reduce((sum, { reservationCount }) => sum + reservationCount, 0);
  const { quantity, heldCount, soldCount } = totals;
  return {
    stock: withAvailable({ quantity, heldCount, soldCount }),
    reservations: { ...countByStatus(counts), isComplete: counted < MOST_RESERVATIONS_COUNTED },
    projection: { ...projection, lagMs: Math.max(0, ctx.nowMs - (projection.oldestAtMs ?? ctx.nowMs)) },
    items,
    nextCursor: types.length > page.limit ? (shown.at(-1)?.ticketTypeId ?? null) : null,
  };
}

function withAvailable({ quantity, heldCount, soldCount }: StockSums): StockMetrics {
  return { quantity, heldCount, soldCount, availableCount: quantity - heldCount - soldCount };
}

function countByStatus(counts: readonly StatusCount[]): ReservationCounts {
  const sumOf = (status: ReservationStatus): number =>
    counts.reduce((sum, count) => sum + (count.status === status ? count.reservationCount : 0), 0);
  return {
    activeCount: sumOf("ACTIVE"),
    completedCount: sumOf("COMPLETED"),
    cancelledCount: sumOf("CANCELLED"),
    expiredCount: sumOf("EXPIRED"),
  };
}

function addBacklogs(backlogs: readonly Backlog[]): Backlog {
  const oldest = backlogs.flatMap(({ oldestAtMs }) => (oldestAtMs === null ? [] : [oldestAtMs]));
  return {
    waitingCount: backlogs.reduce((sum, { waitingCount }) => sum + waitingCount, 0),
    refusedCount: backlogs.reduce((sum, { refusedCount }) => sum + refusedCount, 0),
    oldestAtMs: oldest.length === 0 ? null : Math.min(...oldest),
  };
}
