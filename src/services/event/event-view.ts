import type { EventFields, EventRow } from "#storage/events";

/** An event as anyone may read it. Times are Unix milliseconds. */
export interface EventView extends EventFields {
  readonly id: string;
  readonly createdAtMs: number;
  readonly updatedAtMs: number;
}

/** The row without its tenant and its place on the chain. */
export function toEventView(row: EventRow): EventView {
  const { id, name, venueName, startsAtMs, endsAtMs, timezone, currency, createdAtMs, updatedAtMs } = row;
  return { id, name, venueName, startsAtMs, endsAtMs, timezone, currency, createdAtMs, updatedAtMs };
}
