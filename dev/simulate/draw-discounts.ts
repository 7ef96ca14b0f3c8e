import type { Discount, DiscountRule } from "#domain/discount";
import type { Stage } from "./stage.ts";

const MOST_CODES = 4;

/** The discount codes of a world: of every kind, most of them capped so low that buyers race for the last uses. */
export function drawDiscounts(stage: Stage): Discount[] {
  const { random } = stage.world;
  return Array.from({ length: random.between(0, MOST_CODES) }, (_, position): Discount => {
    const isCapped = random.chance(0.8);
    return {
      id: random.uuid(),
      tenantId: stage.tenantId,
      code: `CODE${position + 1}`,
      rule: drawRule(stage),
      validFromMs: null,
      validUntilMs: null,
      ticketTypeIds: null,
      minQuantity: null,
      minSubtotalCents: null,
      maxUses: isCapped ? drawCap(stage) : null,
      maxUsesUnit: random.pick(["orders", "tickets"]),
      maxUsesPerUser: random.pick([null, null, 4]),
      stackable: random.chance(0.5),
    };
  });
}

function drawCap({ world: { random } }: Stage): number {
  return random.pick([random.between(1, 20), random.between(20, 400)]);
}

function drawRule(stage: Stage): DiscountRule {
  const { random } = stage.world;
  switch (random.between(1, 4)) {
    case 1:
      return { type: "percentage", percentBps: random.pick([500, 2_500, 10_000]) };
    case 2:
      return { type: "fixed", amountCents: random.between(1, 2_000), scope: random.pick(["ticket", "order"]) };
    case 3:
      return { type: "bogo", buyQuantity: 1, getQuantity: 1, percentOffBps: 10_000 };
    default:
      return { type: "early_bird", cut: { percentBps: 1_000 }, untilMs: null, firstTickets: drawCap(stage) };
  }
}
