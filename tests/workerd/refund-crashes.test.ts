import { describe, expect, it } from "vitest";
import { breakEachCall } from "../support/break-each-call.ts";
import type { DeskWorld } from "../support/desk-world.ts";
import { insist } from "../support/insist.ts";
import { payOrder, refundOf, standingOf } from "../support/paid-order.ts";

type Story = "refunded" | "refunded in part" | "given back at the provider" | "disputed and won" | "disputed and lost";

/** Pays an order of two types with five tickets, then lets happen what the story says, each call again until it is heard. */
async function live(world: DeskWorld, story: Story): Promise<string> {
  for (const capacity of [3, 2]) await world.addType(capacity);
  const { orderId, ticketIds } = await insist(world, (desk) => payOrder(world, desk, [3, 2]));
  const tell = async (...types: readonly ("dispute.opened" | "dispute.won" | "dispute.lost" | "refund.succeeded")[]) => {
    for (const type of types) {
      const news = world.news(orderId, { type, amountCents: 5_000, eventId: type, refundId: "theirs" });
      await insist(world, (desk) => desk.settle(news));
    }
  };
  if (story === "refunded") await insist(world, (desk) => askUntilAnswered(world, desk, orderId));
  if (story === "refunded in part")
    await insist(world, (desk) => askUntilAnswered(world, desk, orderId, ticketIds.slice(2, 4)));
  if (story === "given back at the provider") await tell("refund.succeeded");
  if (story === "disputed and won") await tell("dispute.opened", "dispute.won");
  if (story === "disputed and lost") await tell("dispute.opened", "dispute.lost");
  await insist(world, (desk) => world.settleDown(desk));
  return orderId;
}

/** An organiser who asks again under the same key until the answer is no 503; it must not be one that leaves a ticket alive. */
async function askUntilAnswered(
  world: DeskWorld,
  desk: Parameters<Parameters<typeof insist>[1]>[0],
  orderId: string,
  ticketIds: readonly string[] | null = null,
): Promise<void> {
  for (let attempt = 0; attempt < 5; attempt += 1) {
    const answer = await desk.refund(refundOf(world, orderId, "refund", { ticketIds }));
    if (answer.ok) return expect(world.gate.dead.size).toBe(ticketIds?.length ?? 5);
    expect(answer.failure.code).toBe("overloaded");
  }
}

const GONE = { status: "REFUNDED", living: 0, deadAtGate: 5, sold: [0, 0] };

const ENDS = {
  refunded: { ...GONE, payment: "SUCCEEDED", refundedCents: 5_000, askedCents: 5_000 },
  "refunded in part": {
    status: "AWAITING_MINT",
    payment: "SUCCEEDED",
    refundedCents: 2_000,
    living: 3,
    deadAtGate: 2,
    askedCents: 2_000,
    sold: [2, 1],
  },
  "given back at the provider": { ...GONE, payment: "REFUNDED", refundedCents: 5_000, askedCents: 0 },
  "disputed and won": {
    status: "AWAITING_MINT",
    payment: "SUCCEEDED",
    refundedCents: 0,
    living: 5,
    deadAtGate: 0,
    blocked: 0,
    askedCents: 0,
    sold: [3, 2],
  },
  "disputed and lost": { ...GONE, payment: "DISPUTED", refundedCents: 5_000, askedCents: 0 },
} as const satisfies Record<Story, unknown>;

describe.each(Object.keys(ENDS) as Story[])("an order that is %s", (story) => {
  it.each(["dies_before", "dies_after"] as const)(
    "ends so, exactly once, when its desk %s any one of its calls",
    { timeout: 60_000 },
    async (fault) => {
      const calls = await breakEachCall(fault, async (world, what) => {
        const orderId = await live(world, story);
        expect(await standingOf(world, world.openDesk(), orderId), what()).toMatchObject(ENDS[story]);
        expect(world.refunds.size, what()).toBeLessThanOrEqual(1);
        const rows = await world.listRows("SELECT status FROM tickets WHERE order_id = ? AND status = 'SOLD'", orderId);
        expect(rows, what()).toHaveLength(ENDS[story].living);
        const row = await world.findRow("SELECT status, refunded_cents AS refundedCents FROM orders WHERE id = ?", orderId);
        expect(row, what()).toEqual({ status: ENDS[story].status, refundedCents: ENDS[story].refundedCents });
      });
      expect(calls).toBeGreaterThanOrEqual(7);
    },
  );
});
