import type { StoredCounters } from "#storage/reconcile";

/** Counters of a ticket type, in tickets. */
export interface Counters {
  readonly quantity: number;
  readonly heldCount: number;
  readonly soldCount: number;
}

/** What differed in one ticket type, all of it repaired unless `unrepaired` says why not. */
export interface TypeDifferences {
  readonly ticketTypeId: string;
  /** Reservations that D1 lacked. */
  readonly missingCount: number;
  /** Reservations that D1 held otherwise. */
  readonly staleCount: number;
  /** Rows of D1 that the inventory never made, or not then; they were deleted. */
  readonly extraCount: number;
  /** Counters as D1 had them and as they are; null when they were right. */
  readonly counters: { readonly before: Counters; readonly after: Counters } | null;
  /** Some of the reservations meant above. */
  readonly reservationIds: readonly string[];
  /** `far_behind`: D1 is still to hear thousands of changes, ask again later. `no_inventory`: no object answers for the type. */
  readonly unrepaired: "far_behind" | "no_inventory" | null;
}

const MOST_NAMED = 20;

type Kind = "missing" | "stale" | "extra";

interface Found extends Pick<TypeDifferences, "counters" | "unrepaired"> {
  readonly counts: Readonly<Record<Kind, number>>;
  readonly reservationIds: readonly string[];
}

const NOTHING: Found = { counts: { missing: 0, stale: 0, extra: 0 }, counters: null, unrepaired: null, reservationIds: [] };

/** Gathers what a reconciliation finds, by ticket type. */
export class ReconcileReport {
  checkedReservationCount = 0;
  readonly #found = new Map<string, Found>();

  /** Notes reservations that differed. */
  addReservations(ticketTypeId: string, kind: Kind, reservationIds: readonly string[]): void {
    if (reservationIds.length === 0) return;
    const found = this.#of(ticketTypeId);
    const counts = { ...found.counts, [kind]: found.counts[kind] + reservationIds.length };
    const named = [...found.reservationIds, ...reservationIds].slice(0, MOST_NAMED);
    this.#found.set(ticketTypeId, { ...found, counts, reservationIds: named });
  }

  /** Notes counters that differed. */
  addCounters({ ticketTypeId, quantity, heldCount, soldCount }: StoredCounters, after: Counters): void {
    const before = { quantity, heldCount, soldCount };
    this.#found.set(ticketTypeId, { ...this.#of(ticketTypeId), counters: { before, after } });
  }

  /** Notes a type that could not be compared. */
  addUnrepaired(ticketTypeId: string, unrepaired: TypeDifferences["unrepaired"]): void {
    this.#found.set(ticketTypeId, { ...this.#of(ticketTypeId), unrepaired });
  }

  /** Ticket types in which anything differed. */
  list(): TypeDifferences[] {
    return [...this.#found].map(([ticketTypeId, { counts, counters, reservationIds, unrepaired }]) => ({
      ticketTypeId,
      missingCount: counts.missing,
      staleCount: counts.stale,
      extraCount: counts.extra,
      counters,
      reservationIds,
      unrepaired,
    }));
  }

  #of(ticketTypeId: string): Found {
    return this.#found.get(ticketTypeId) ?? NOTHING;
  }
}
