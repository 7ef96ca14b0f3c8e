import { change, raise, type OrderRecord, type OrderStep } from "./order.ts";
import type { Recall } from "./order-money.ts";
import { issuedTicketsOf } from "./order-tickets.ts";

/** The ids of the tickets that are alive. */
export function livingTicketIdsOf(record: OrderRecord): readonly string[] {
  const dead = new Set(record.recalled);
  return issuedTicketsOf(record).flatMap(({ id }) => (dead.has(id) ? [] : [id]));
}

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
  return change(dead, { view, step: recall.restock ? { kind: "restock", recall } : { kind: "none" } });
}

/** The seats are on sale again. */
export function settleRestocked(record: OrderRecord): OrderRecord {
  return record.step.kind === "restock" ? change(record, { step: { kind: "none" } }) : record;
}

/** The gate refuses the disputed tickets, or admits them again. */
export function settleBlocked(record: OrderRecord): OrderRecord {
  const { kind } = record.step;
  return kind === "block" || kind === "unblock" ? change(record, { step: { kind: "none" } }) : record;
}
