import type { Discount } from "./discount.ts";
import type { DiscountCap, InventoryConfig, InventoryRefusal } from "./inventory-messages.ts";
import type { Failure } from "./failure.ts";
import { LONGEST_HOLD_SECONDS } from "./inventory.ts";

/** Stock of a discount that an order needs; `stockName` names its inventory. */
export interface DiscountUse {
  readonly discountCode: string;
  readonly stockName: string;
  readonly quantity: number;
}

/** A cap without a number of its own (only `maxUsesPerUser` is set). */
const PLENTY = 1_000_000_000_000;

/** Name of the inventory that keeps a cap (docs/adr/0010). */
export function discountStockName(discountId: string, cap: DiscountCap): string {
  return cap === "uses" ? `discount-${discountId}` : `discount-${discountId}-first`;
}

/** The caps a discount has; none for a code that anyone may use any number of times. */
export function capsOf(discount: Discount): readonly DiscountCap[] {
  const { maxUses, maxUsesPerUser, rule } = discount;
  const caps: DiscountCap[] = maxUses === null && maxUsesPerUser === null ? [] : ["uses"];
  if (rule.type === "early_bird" && rule.firstTickets !== null) caps.push("first_tickets");
  return caps;
}

/** What the inventories of a discount must know, one for each of its caps; `isArchived` refuses new uses for good. */
export function discountStockConfigs(discount: Discount, isArchived: boolean): readonly InventoryConfig[] {
  return capsOf(discount).map((cap) => {
    const { rule } = discount;
    const firstTickets = rule.type === "early_bird" ? rule.firstTickets : null;
    const capacity = (cap === "uses" ? discount.maxUses : firstTickets) ?? PLENTY;
    return {
      tenantId: discount.tenantId,
      eventId: "",
      ticketTypeId: discountStockName(discount.id, cap),
      discount: { discountId: discount.id, cap },
      capacity,
      status: isArchived ? "ARCHIVED" : "ACTIVE",
      saleStartsAtMs: null,
      saleEndsAtMs: null,
      minPerOrder: 1,
      maxPerOrder: PLENTY,
      maxPerUser: cap === "uses" ? discount.maxUsesPerUser : null,
      reservationTtlSeconds: LONGEST_HOLD_SECONDS,
    };
  });
}

/** The stock that one order needs of a discount which makes `cheaperTickets` of its tickets cheaper. */
export function usesOf(discount: Discount, cheaperTickets: number): readonly DiscountUse[] {
  return capsOf(discount).map((cap) => ({
    discountCode: discount.code,
    stockName: discountStockName(discount.id, cap),
    quantity: cap === "uses" && discount.maxUsesUnit === "orders" ? 1 : cheaperTickets,
  }));
}

/** What a buyer is told when an inventory of a discount says no: it is used up, by all or by this buyer, or it was taken away. */
export function refuseUse(failure: InventoryRefusal, discountCode: string): Failure {
  switch (failure.code) {
    case "sold_out":
    case "user_limit_reached":
    case "quantity_out_of_range":
      return { code: "discount_exhausted", discountCode };
    case "not_on_sale":
    case "not_found":
      return { code: "discount_unknown", discountCode };
    case "reservation_expired":
    case "reservation_not_active":
    case "capacity_below_committed":
      return failure;
  }
}
