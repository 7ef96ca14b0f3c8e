/** An order without its desk: what may happen to it, decided by the domain alone. */
import { deriveId } from "#domain/ids";
import { cancelOrder, expireOrder, newOrder, type OrderRecord } from "#domain/order";
import type { OrderLine, OrderView, PaymentNews, RefundCommand } from "#domain/order-messages";
import { nextRefundOf } from "#domain/order-payments";
import { decideNews, takeUpWaiting } from "#domain/payment-news";
import { settleBlocked, settleRestocked, settleRevoked } from "#domain/recall";
import { decideRefund, settleRefund } from "#domain/refund";
import { settleConfirmed, settleGivenBack, settleReleased, settleSoldOut } from "#domain/settlement";
import type { RefundStatus } from "#domain/statuses";

/** When the hold of these orders ends, Unix milliseconds. */
export const HOLD_ENDS_MS = 1_000;

function makeLine(lineNumber: number, quantity: number, totalCents: number): OrderLine {
  const money = { discountCents: 0, feeCents: 0, taxCents: 0, totalCents };
  return { lineNumber, ticketTypeId: `type-${lineNumber}`, name: "Floor", quantity, unitPriceCents: 500, ...money };
}

/** An unpaid order of two tickets for 10.00 EUR, to be paid by payment `a`. */
export function makeOrder(changes: Partial<OrderView> = {}): OrderRecord {
  const lines = changes.lines ?? [makeLine(1, 2, 1_000)];
  const view: OrderView = {
    id: deriveId(1, ["order"]),
    tenantId: "tenant",
    userId: "user",
    eventId: "event",
    orderNumber: "ORD-00000001",
    status: "PENDING",
    currency: "EUR",
    subtotalCents: 1_000,
    discountCents: 0,
    feeCents: 0,
    taxCents: 0,
    totalCents: 1_000,
    lines,
    reservationId: deriveId(1, ["hold"]),
    holdExpiresAtMs: HOLD_ENDS_MS,
    walletAddress: null,
    payment: { provider: "standard", paymentId: "a", status: "REQUIRES_ACTION", action: { type: "redirect" } },
    createdAtMs: 0,
    paidAtMs: null,
    refundedCents: 0,
    ...changes,
  };
  return newOrder(view, "purchase", "hash");
}

/** An event of a payment; each has an id of its own unless the test gives one. */
export function makeNews(type: PaymentNews["type"], changes: Partial<PaymentNews> = {}): PaymentNews {
  const facts = { paymentId: "a", amountCents: 1_000, currency: "EUR", refundId: null, disputeId: null, ...changes };
  return {
    provider: "standard",
    eventId: [type, ...Object.values(facts)].join(" "),
    type,
    rawType: type,
    occurredAtMs: 0,
    orderId: "order",
    reason: null,
    ...facts,
  };
}

/** An organiser's wish to pay tickets back; `key` tells one request from another. */
export function makeRefundCommand(key: string, changes: Partial<RefundCommand> = {}): RefundCommand {
  const request = { tenantId: "tenant", userId: "organiser", requestId: key, route: "refund", bodyHash: "hash" };
  return {
    request,
    orderId: deriveId(1, ["order"]),
    ticketIds: null,
    reason: "rain",
    restock: true,
    statusInD1: null,
    ...changes,
  };
}

/** Something that happens to an order. */
export type Happening =
  | { readonly kind: "news"; readonly news: PaymentNews }
  /** What is to be done outside is done; `soldOut`: as far as it is about stock, there is none. */
  | { readonly kind: "step"; readonly soldOut: boolean }
  /** The provider answers to the next refund. */
  | { readonly kind: "answer"; readonly status: Exclude<RefundStatus, "created"> }
  | { readonly kind: "refund"; readonly command: RefundCommand }
  | { readonly kind: "cancel" }
  | { readonly kind: "expire" };

/** The order after its step was taken; unchanged when it is at none. */
export function takeStep(record: OrderRecord, soldOut: boolean, nowMs: number): OrderRecord {
  switch (record.step.kind) {
    case "none":
      return record;
    case "confirm":
      return soldOut ? settleSoldOut(record, nowMs % 2 === 0 ? [1] : [], nowMs) : settleConfirmed(record, nowMs);
    case "give_back":
      return settleGivenBack(record, nowMs);
    case "release":
      return settleReleased(record);
    case "revoke":
      return settleRevoked(record);
    case "restock":
      return settleRestocked(record);
    case "block":
    case "unblock":
      return settleBlocked(record);
  }
}

/** The order after something has happened, and after events that waited for it were decided about, as its desk does it. */
export function happen(record: OrderRecord, happening: Happening, nowMs: number): OrderRecord {
  const changed = decide(record, happening, nowMs);
  return changed === record ? record : takeUpWaiting(changed, nowMs).record;
}

function decide(record: OrderRecord, happening: Happening, nowMs: number): OrderRecord {
  switch (happening.kind) {
    case "news":
      return decideNews(record, happening.news, nowMs).record;
    case "step":
      return takeStep(record, happening.soldOut, nowMs);
    case "answer": {
      const refund = record.step.kind === "none" ? nextRefundOf(record) : undefined;
      return refund ? settleRefund(record, refund.id, happening.status, `provider's ${refund.id}`) : record;
    }
    case "refund": {
      const refunded = decideRefund(record, happening.command, nowMs);
      return refunded.ok ? refunded.value : record;
    }
    case "cancel": {
      const cancelled = cancelOrder(record, nowMs);
      return cancelled.ok ? cancelled.value : record;
    }
    case "expire":
      return expireOrder(record, HOLD_ENDS_MS + nowMs);
  }
}
