import { change, raise, type OrderRecord, type OrderStep } from "./order.ts";
import type { Recall } from "./order-money.ts";
import { livingTicketIdsOf } from "./order-tickets.ts";
import { stepAfterRecall } from "./partial-loss.ts";

/** The step that kills the recall's tickets; none when there are none. */
export function stepOfRecall(recall: Recall): OrderStep {
  return recall.ticketIds.length > 0 ? { kind: "revoke", recall } : { kind: "none" };
}

/**
 * The tickets are dead at the gate: they are so here, and the order is REFUNDED when none is left. Changes nothing unless the
 * order is at that step.
 */
export function settleRevoked(record: OrderRecord): OrderRecord {
  if (record.step.kind !== "revoke") return record;
  const { recall } = record.step;
  const recalled = [...new Set([...(record.recalled ?? []), ...recall.ticketIds])];
  const dead = { ...record, recalled };
  const view = livingTicketIdsOf(dead).length === 0 ? raise(record.view, "REFUNDED") : record.view;
  return change(dead, { view, step: recall.restock ? { kind: "restock", recall } : stepAfterRecall(dead) });
}

/** The seats are on sale again. */
export function settleRestocked(record: OrderRecord): OrderRecord {
  return record.step.kind === "restock" ? change(record, { step: stepAfterRecall(record) }) : record;
}

/** The gate refuses the disputed tickets, or admits them again. */
export function settleBlocked(record: OrderRecord): OrderRecord {
  const { kind } = record.step;
  return kind === "block" || kind === "unblock" ? change(record, { step: { kind: "none" } }) : record;
}
