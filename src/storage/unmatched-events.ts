import type { DrizzleD1Database } from "drizzle-orm/d1";
import { paymentEvents } from "./schema.ts";

/** An authentic payment event that no order's desk keeps. */
export interface UnmatchedEvent {
  readonly provider: string;
  readonly eventId: string;
  readonly type: string;
  /** The type in the provider's own words. */
  readonly rawType: string;
  /** `ignored`: of a type that the service does not act upon. `rejected`: it belongs to no order here. */
  readonly outcome: "ignored" | "rejected";
  readonly occurredAtMs: number;
}

/** Keeps such an event for the people who reconcile. A repeat changes nothing, nor does one whose id an order's desk has kept. */
export async function insertUnmatchedEvent(db: DrizzleD1Database, event: UnmatchedEvent, nowMs: number): Promise<void> {
  await db
    .insert(paymentEvents)
    .values({ ...event, tenantId: null, orderId: null, attempts: 1, receivedAtMs: nowMs, seq: 0 })
    .onConflictDoNothing();
}
