import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { OrderRecord } from "#domain/order";
import { nextRefundOf } from "#domain/order-payments";
import { ticketsOf } from "#domain/order-tickets";
import { happen, makeNews, makeOrder, takeStep, type Happening } from "../support/order-story.ts";
import {
  drawDeliveries,
  PAYMENT_STORIES,
  type Delivery,
  type PaymentStory,
  type StoryEnd,
} from "../support/payment-stories.ts";

/** The desk of one order, without its storage: it records an event once and takes its steps when the test says. */
class PlainDesk {
  record: OrderRecord;
  readonly asked: { readonly id: string; readonly amountCents: number }[] = [];
  readonly blocked = new Set<string>();
  readonly #recorded = new Set<string>();
  #nowMs = 0;

  constructor({ isCancelled }: PaymentStory) {
    const line = { lineNumber: 1, ticketTypeId: "type", name: "Floor", quantity: 2, unitPriceCents: 1_000, discountCents: 0 };
    const money = { feeCents: 0, taxCents: 0, totalCents: 2_000 };
    this.record = makeOrder({ subtotalCents: 2_000, totalCents: 2_000, lines: [{ ...line, ...money }] });
    if (isCancelled) this.#happen({ kind: "cancel" });
  }

  deliver({ event, eventId, isLost }: Delivery): void {
    if (isLost || this.#recorded.has(eventId)) return;
    this.#recorded.add(eventId);
    const { type, ...changes } = event;
    this.#happen({ kind: "news", news: makeNews(type, { amountCents: 2_000, ...changes, eventId }) });
  }

  /** @returns false when nothing was left to do. */
  takeStep(): boolean {
    const { step } = this.record;
    if (step.kind === "block") for (const id of step.ticketIds) this.blocked.add(id);
    if (step.kind === "unblock") for (const id of step.ticketIds) this.blocked.delete(id);
    if (step.kind === "revoke") for (const id of step.recall.ticketIds) this.blocked.delete(id);
    if (step.kind !== "none") {
      this.#happen({ kind: "step", soldOut: false });
      return true;
    }
    const refund = nextRefundOf(this.record);
    if (refund) this.asked.push(refund);
    if (refund) this.#happen({ kind: "answer", status: "submitted" });
    return refund !== undefined;
  }

  end(): StoryEnd {
    const tickets = ticketsOf(this.record);
    const { status, payment, refundedCents } = this.record.view;
    return {
      status,
      payment: payment?.status ?? "",
      refundedCents,
      issued: tickets.length,
      living: tickets.filter((ticket) => ticket.status === "SOLD").length,
      blocked: this.blocked.size,
      askedCents: this.asked.reduce((sum, { amountCents }) => sum + amountCents, 0),
    };
  }

  #happen(happening: Happening): void {
    this.#nowMs += 1;
    const issued = ticketsOf(this.record);
    this.record = happen(this.record, happening, this.#nowMs);
    if (issued.length > 0) expect(ticketsOf(this.record).map(({ id }) => id)).toEqual(issued.map(({ id }) => id));
  }
}

describe.each(PAYMENT_STORIES)("a payment that was $name", (story) => {
  it("ends the same in whatever order its events come, twice or late, with one set of tickets and each refund asked for once", () => {
    fc.assert(
      fc.property(drawDeliveries(story), (deliveries) => {
        const desk = new PlainDesk(story);
        for (const delivery of deliveries) {
          desk.deliver(delivery);
          for (let step = 0; step < delivery.stepsAfter; step += 1) desk.takeStep();
        }
        while (desk.takeStep()); // until nothing is left
        expect(desk.end()).toEqual(story.end);
        expect(new Set(desk.asked.map(({ id }) => id)).size).toBe(desk.asked.length);
        expect(desk.record.waiting ?? []).toEqual([]);
        expect(takeStep(desk.record, false, 0)).toBe(desk.record);
      }),
      { numRuns: 1_000 },
    );
  });
});
