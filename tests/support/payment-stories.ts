import fc from "fast-check";
import type { PaymentNews } from "#domain/order-messages";

/** An event of a payment as its provider tells it, without the order it is of. Amounts are of an order of 2 tickets for 20.00. */
export type StoryEvent = Pick<PaymentNews, "type"> &
  Partial<Pick<PaymentNews, "paymentId" | "amountCents" | "refundId" | "disputeId" | "occurredAtMs">>;

/** How an order must stand in the end, however its payments' events came. */
export interface StoryEnd {
  readonly status: string;
  readonly payment: string;
  readonly refundedCents: number;
  /** Tickets issued, and of them those that are alive and are let in. */
  readonly issued: number;
  readonly living: number;
  readonly blocked: number;
  /** What the provider was asked to give back. */
  readonly askedCents: number;
}

/** What happens at the provider, in the order it does; it arrives in any. */
export interface PaymentStory {
  readonly name: string;
  readonly isCancelled: boolean;
  readonly events: readonly StoryEvent[];
  readonly end: StoryEnd;
}

const PAID = {
  status: "AWAITING_MINT",
  payment: "SUCCEEDED",
  refundedCents: 0,
  issued: 2,
  living: 2,
  blocked: 0,
  askedCents: 0,
};
const GONE = { ...PAID, status: "REFUNDED", refundedCents: 2_000, living: 0 };
const took: StoryEvent = { type: "payment.succeeded" };

/** A name, what happens, and how it must end. */
export const PAYMENT_STORIES: readonly PaymentStory[] = [
  told("declined twice, then paid", [{ type: "payment.failed" }, { type: "payment.canceled" }, took], PAID),
  told("paid twice", [took, { ...took, paymentId: "b" }], { ...PAID, askedCents: 2_000 }),
  told("paid a wrong sum, then the right one", [{ ...took, paymentId: "wrong", amountCents: 1_999 }, took], {
    ...PAID,
    askedCents: 1_999,
  }),
  told("given back whole at the provider", [took, { type: "refund.succeeded", refundId: "r" }], {
    ...GONE,
    payment: "REFUNDED",
  }),
  told(
    "given back at the provider in two parts, the second in vain at first",
    [
      took,
      { type: "refund.succeeded", refundId: "one", amountCents: 700 },
      { type: "refund.failed", refundId: "two", amountCents: 1_300 },
      { type: "refund.succeeded", refundId: "two", amountCents: 1_300 },
    ],
    { ...GONE, payment: "REFUNDED" },
  ),
  told(
    "given back in part at the provider, which the buyer's bank sent back",
    [
      took,
      { type: "refund.succeeded", refundId: "r", amountCents: 700 },
      { type: "refund.failed", refundId: "r", amountCents: 700 },
    ],
    PAID,
  ),
  told(
    "given back in part at the provider, sent back, and done after all",
    [
      took,
      { type: "refund.succeeded", refundId: "r", amountCents: 700 },
      { type: "refund.failed", refundId: "r", amountCents: 700 },
      { type: "refund.succeeded", refundId: "r", amountCents: 700 },
    ],
    { ...PAID, refundedCents: 700 },
  ),
  told(
    "given back for the most part at the provider in vain, and then by another refund",
    [
      took,
      { type: "refund.succeeded", refundId: "one", amountCents: 1_500 },
      { type: "refund.failed", refundId: "one", amountCents: 1_500 },
      { type: "refund.succeeded", refundId: "two", amountCents: 1_500 },
    ],
    { ...PAID, refundedCents: 1_500 },
  ),
  told("given back in part at the provider", [took, { type: "refund.succeeded", refundId: "r", amountCents: 5 }], {
    ...PAID,
    refundedCents: 5,
  }),
  told("disputed", [took, { type: "dispute.opened" }], { ...PAID, payment: "DISPUTED", blocked: 2 }),
  told("disputed and won", [took, { type: "dispute.opened" }, { type: "dispute.won" }], PAID),
  told("disputed and lost", [took, { type: "dispute.opened" }, { type: "dispute.lost" }], { ...GONE, payment: "DISPUTED" }),
  told(
    "disputed, and lost for one of its tickets, nobody says for which",
    [took, { type: "dispute.opened" }, { type: "dispute.lost", amountCents: 1_000 }],
    { ...PAID, payment: "DISPUTED", refundedCents: 1_000, blocked: 2 },
  ),
  told(
    "disputed twice and lost for a ticket each time",
    [
      took,
      { type: "dispute.opened", disputeId: "one" },
      { type: "dispute.opened", disputeId: "two" },
      { type: "dispute.lost", disputeId: "one", amountCents: 1_000 },
      { type: "dispute.lost", disputeId: "two", amountCents: 1_000 },
    ],
    { ...GONE, payment: "DISPUTED" },
  ),
  told(
    "disputed, and lost for a ticket, while the other's money was given back at the provider",
    [
      took,
      { type: "refund.succeeded", refundId: "r", amountCents: 1_000 },
      { type: "dispute.opened" },
      { type: "dispute.lost", amountCents: 1_000 },
    ],
    { ...GONE, payment: "DISPUTED" },
  ),
  told(
    "disputed, won, and lost in the end",
    [took, { type: "payment.failed" }, { type: "dispute.opened" }, { type: "dispute.won" }, { type: "dispute.lost" }],
    { ...GONE, payment: "DISPUTED" },
  ),
  told(
    "disputed twice, won once and lost once",
    [
      took,
      { type: "dispute.opened", disputeId: "one" },
      { type: "dispute.opened", disputeId: "two" },
      { type: "dispute.won", disputeId: "one" },
      { type: "dispute.lost", disputeId: "two" },
    ],
    { ...GONE, payment: "DISPUTED" },
  ),
  {
    ...told("cancelled, and paid all the same", [{ type: "payment.failed" }, took], {
      ...PAID,
      status: "CANCELLED",
      issued: 0,
      living: 0,
      askedCents: 2_000,
    }),
    isCancelled: true,
  },
];

function told(name: string, events: readonly StoryEvent[], end: StoryEnd): PaymentStory {
  return { name, isCancelled: false, events: events.map((event, occurredAtMs) => ({ ...event, occurredAtMs })), end };
}

/** An event that arrives: the copy of a copy has the first one's id, unless the provider tells it anew under another. */
export interface Delivery {
  readonly event: StoryEvent;
  readonly eventId: string;
  /** Lost on its way: it comes again after all others. */
  readonly isLost: boolean;
  /** Steps that the desk gets done before the next one arrives. */
  readonly stepsAfter: number;
}

/** The story's events in any order, some twice, some lost and sent again later. */
export function drawDeliveries({ events }: PaymentStory): fc.Arbitrary<readonly Delivery[]> {
  const perEvent = events.map((event, at) => {
    const copy = fc.oneof(drawDelivery(event, `${at}`), drawDelivery(event, `${at} anew`));
    return fc.tuple(
      drawDelivery(event, `${at}`).map((one) => [one]),
      fc.array(copy, { maxLength: 2 }),
    );
  });
  return fc
    .tuple(...perEvent)
    .map((deliveries) => deliveries.flat(2))
    .chain((deliveries) => fc.shuffledSubarray(deliveries, { minLength: deliveries.length }))
    .map((sent) => sent.concat(sent.filter(({ isLost }) => isLost).map(arriveAfterAll)));
}

function arriveAfterAll({ event, eventId, stepsAfter }: Delivery): Delivery {
  return { event, eventId, stepsAfter, isLost: false };
}

function drawDelivery(event: StoryEvent, eventId: string): fc.Arbitrary<Delivery> {
  return fc.record({
    event: fc.constant(event),
    eventId: fc.constant(eventId),
    isLost: fc.boolean(),
    stepsAfter: fc.nat(3),
  });
}
