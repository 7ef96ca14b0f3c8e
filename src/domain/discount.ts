import type { Failure } from "./failure.ts";
import { refuse, succeed, type Result } from "./result.ts";

/** Kinds of discounts, as the contract names them. */
export const DISCOUNT_TYPES = ["percentage", "fixed", "bogo", "early_bird"] as const;
export type DiscountType = (typeof DISCOUNT_TYPES)[number];

/** Whether a fixed amount is off each ticket, or once off the order. */
export const DISCOUNT_SCOPES = ["ticket", "order"] as const;
export type DiscountScope = (typeof DISCOUNT_SCOPES)[number];

/** What `maxUses` and `maxUsesPerUser` count: orders that use the code, or tickets that got cheaper by it. */
export const USES_UNITS = ["orders", "tickets"] as const;
export type UsesUnit = (typeof USES_UNITS)[number];

/** Part of a price: basis points of it (1 to 10,000), or an amount in minor units. */
export type PriceCut = { readonly percentBps: number } | { readonly amountCents: number };

/** What a discount takes off. Money in minor units of the event's currency, times Unix milliseconds. */
export type DiscountRule =
  | { readonly type: "percentage"; readonly percentBps: number }
  | { readonly type: "fixed"; readonly amountCents: number; readonly scope: DiscountScope }
  | { readonly type: "bogo"; readonly buyQuantity: number; readonly getQuantity: number; readonly percentOffBps: number }
  | {
      readonly type: "early_bird";
      readonly cut: PriceCut;
      /** Half-open: at this moment it is over. */
      readonly untilMs: number | null;
      /** How many tickets get it at all. */
      readonly firstTickets: number | null;
    };

/** Under which conditions a discount applies, whatever it takes off. Null: no such condition. */
export interface DiscountConditions {
  /** Half-open, Unix milliseconds. */
  readonly validFromMs: number | null;
  readonly validUntilMs: number | null;
  readonly ticketTypeIds: readonly string[] | null;
  readonly minQuantity: number | null;
  readonly minSubtotalCents: number | null;
  readonly maxUses: number | null;
  readonly maxUsesUnit: UsesUnit;
  readonly maxUsesPerUser: number | null;
  readonly stackable: boolean;
}

/** A discount code of a tenant. */
export interface Discount extends DiscountConditions {
  readonly id: string;
  readonly tenantId: string;
  /** As its organiser writes it; see {@link codeKeyOf}. */
  readonly code: string;
  readonly rule: DiscountRule;
}

/** Codes a buyer may give at once: every order of them is tried, and this bounds how many there are (120). */
export const CODES_PER_ORDER = 5;

/** What makes two spellings one code: ASCII letters are the same in both cases, blanks around do not count. */
export function codeKeyOf(code: string): string {
  return code.trim().replaceAll(/[a-z]/g, (letter) => letter.toUpperCase());
}

/**
 * Decides whether the codes may be used now and together; what they take off is not asked here.
 * @returns the refusal of the first code that may not: `discount_not_started`, `discount_expired` (windows are half-open, and
 * so is an early bird's `until`), or `discount_not_stackable` for the first of several that must stand alone.
 */
export function judgeCodes(discounts: readonly Discount[], nowMs: number): Result<undefined, Failure> {
  for (const { code: discountCode, validFromMs, validUntilMs, rule } of discounts) {
    if (validFromMs !== null && nowMs < validFromMs) return refuse({ code: "discount_not_started", discountCode });
    const untilMs = rule.type === "early_bird" ? rule.untilMs : null;
    if ((validUntilMs !== null && nowMs >= validUntilMs) || (untilMs !== null && nowMs >= untilMs)) {
      return refuse({ code: "discount_expired", discountCode });
    }
  }
  const alone = discounts.length > 1 ? discounts.find(({ stackable }) => !stackable) : undefined;
  return alone ? refuse({ code: "discount_not_stackable", discountCode: alone.code }) : succeed(undefined);
}
