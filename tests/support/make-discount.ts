import type { Discount, DiscountRule } from "#domain/discount";

/** A discount without any condition or cap, to change where a test needs it. */
export function makeDiscount(rule: DiscountRule, change: Partial<Discount> = {}): Discount {
  return {
    id: "id",
    tenantId: "tenant",
    code: "CODE",
    rule,
    validFromMs: null,
    validUntilMs: null,
    ticketTypeIds: null,
    minQuantity: null,
    minSubtotalCents: null,
    maxUses: null,
    maxUsesUnit: "orders",
    maxUsesPerUser: null,
    stackable: false,
    ...change,
  };
}
