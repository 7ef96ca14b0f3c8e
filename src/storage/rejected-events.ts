import type { DrizzleD1Database } from "drizzle-orm/d1";
import { paymentEvents } from "./schema.ts";

/** Keeps an authentic payment event that belongs to no order here, for the people who reconcile. A repeat changes nothing. */
export async function insertRejectedEvent(
  db: DrizzleD1Database,
  event: { readonly provider: string; readonly eventId: string; readonly type: string; readonly occurredAtMs: number },
  nowMs: number,
): Promise<void> {
  await db
    .insert(paymentEvents)
    .values({ ...event, tenantId: null, orderId: null, outcome: "rejected", attempts: 1, receivedAtMs: nowMs, seq: 0 })
    .onConflictDoNothing();
}
