import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { inDeskWorld, type DeskWorld, type Fault } from "../support/desk-world.ts";
import { insist } from "../support/insist.ts";
import { placeOrder, standingOf } from "../support/paid-order.ts";
import { drawDeliveries, PAYMENT_STORIES, type Delivery, type PaymentStory } from "../support/payment-stories.ts";

/** What becomes of the calls that the desk makes outside, the first ones; those after them succeed. */
const fates = fc.array(fc.constantFrom<Fault>("ok", "ok", "ok", "fails", "dies_before", "dies_after"), { maxLength: 12 });

/** Lets the provider tell its events until they are heard, and the alarm do the rest. @returns the order's id. */
async function play(
  world: DeskWorld,
  story: PaymentStory,
  deliveries: readonly Delivery[],
  drawn: readonly Fault[],
): Promise<string> {
  const orderId = await placeOrder(world, world.openDesk(), [2]);
  const placedBy = world.calls.length;
  world.fault = (_, position) => drawn[position - placedBy] ?? "ok";
  if (story.isCancelled) await insist(world, (desk) => desk.cancel({ request: world.request("c", "", "cancel"), orderId }));
  for (const { event, eventId, isLost, stepsAfter } of deliveries) {
    const news = world.news(orderId, { amountCents: 2_000, ...event, eventId });
    if (!isLost) await insist(world, (desk) => desk.settle(news));
    if (stepsAfter === 3) await insist(world, (desk) => desk.alarm());
  }
  await insist(world, (desk) => world.settleDown(desk));
  return orderId;
}

describe.each(PAYMENT_STORIES)("at a desk that dies now and then, a payment that was $name", (story) => {
  it("ends the same in whatever order its events come, twice or late, at the desk, the gate, the provider and in D1", () =>
    fc.assert(
      fc.asyncProperty(drawDeliveries(story), fates, (deliveries, drawn) =>
        inDeskWorld(async (world) => {
          await world.addType(2);
          const orderId = await play(world, story, deliveries, drawn);
          world.fault = () => "ok";
          const { status, payment, refundedCents, living, askedCents, sold } = await standingOf(
            world,
            world.openDesk(),
            orderId,
          );
          const rows = await world.listRows("SELECT status FROM tickets WHERE order_id = ?", orderId);
          const blocked = [...world.gate.blocked].filter((ticketId) => !world.gate.dead.has(ticketId)).length;
          expect({ status, payment, refundedCents, issued: rows.length, living, blocked, askedCents }).toEqual(story.end);
          expect(rows.filter((row) => row["status"] === "SOLD")).toHaveLength(living);
          expect(world.gate.dead.size).toBe(story.end.issued - living);
          expect(sold).toEqual([living]);
          const open = "SELECT event_id FROM payment_events WHERE outcome = 'recorded'";
          expect([world.rows(open), await world.listRows(`${open} AND order_id = ?`, orderId)]).toEqual([[], []]);
        }),
      ),
      { numRuns: 12 },
    ));
});
