import type { InventorySnapshot } from "./inventory-messages.ts";

/**
 * What is wrong with a reservation: it was sold to an order that D1 does not have (`NO_ORDER`) or that has ended without tickets
 * (`FAILED_ORDER`); or it has hung between two states for minutes (`STUCK_PENDING`).
 */
export const ORPHAN_ISSUES = ["NO_ORDER", "FAILED_ORDER", "STUCK_PENDING"] as const;
export type OrphanIssue = (typeof ORPHAN_ISSUES)[number];

/** How far a comparison of a tenant's D1 rows with its inventories has come. */
export type ReconcilePosition =
  /** Rows of D1 that no inventory knows: those up to this key have been looked at. */
  | { readonly phase: "rows"; readonly ticketTypeId: string; readonly createdAtMs: number; readonly reservationId: string }
  /** Inventories: types up to `afterTypeId` are done, and of the one behind it the lines up to `position`. */
  | { readonly phase: "types"; readonly afterTypeId: string; readonly position: number }
  /** Discounts, the newest first: those up to this one are done; null at the start. */
  | { readonly phase: "codes"; readonly after: { readonly createdAtMs: number; readonly id: string } | null };

/** The opaque text of a position. */
export function formatReconcilePosition(at: ReconcilePosition): string {
  switch (at.phase) {
    case "rows":
      return `rows.${at.ticketTypeId}.${at.createdAtMs}.${at.reservationId}`;
    case "types":
      return `types.${at.afterTypeId}.${at.position}`;
    case "codes":
      return `codes.${at.after?.id ?? ""}.${at.after?.createdAtMs ?? 0}`;
  }
}

/** Reads what {@link formatReconcilePosition} wrote; undefined for anything else. */
export function parseReconcilePosition(text: string): ReconcilePosition | undefined {
  const [, phase, first = "", second = "", third] =
    /^(rows|types|codes)\.([0-9a-f-]*)\.(\d{1,15})(?:\.([0-9a-f-]*))?$/.exec(text) ?? [];
  if ((phase === "rows") !== (third !== undefined)) return undefined;
  if (phase === "rows") return { phase, ticketTypeId: first, createdAtMs: Number(second), reservationId: third ?? "" };
  if (phase === "types") return { phase, afterTypeId: first, position: Number(second) };
  if (phase === "codes") return { phase, after: first === "" ? null : { id: first, createdAtMs: Number(second) } };
  return undefined;
}

/** The counters of a ticket type as D1 holds them. */
export interface CounterCopy {
  readonly quantity: number;
  readonly heldCount: number;
  readonly soldCount: number;
  readonly countersSeq: number;
}

/**
 * True when D1's counters, read before the inventory was asked, are wrong and not only late.
 * @param isQuiet nothing waits to be told and no expiry is unreported. Without that, a lower number is news under way, and at
 * the same number a hold that has just expired is not a mistake: `heldCount` falls without a number.
 */
export function areCountersWrong(copy: CounterCopy, snapshot: InventorySnapshot, isQuiet: boolean): boolean {
  if (copy.countersSeq > snapshot.seq) return true;
  if (copy.countersSeq < snapshot.seq) return isQuiet;
  if (copy.quantity !== snapshot.capacity || copy.soldCount !== snapshot.soldCount) return true;
  return isQuiet && copy.heldCount !== snapshot.heldCount;
}
