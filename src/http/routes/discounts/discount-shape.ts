import { z } from "@hono/zod-openapi";
import { DISCOUNT_SCOPES, DISCOUNT_TYPES, USES_UNITS } from "#domain/discount";
import type { DiscountFields } from "#domain/discount-fields";
import type { DiscountView } from "#services/discount/discount-view";
import { cents, id, presentOptionalTime, presentTime, quantity, sumCents, time } from "../../schemas.ts";

const code = z
  .string()
  .trim()
  .regex(/^[\x21-\x7e]{1,64}$/, "not 1 to 64 printable ASCII characters without blanks")
  .openapi({ description: "Found in upper and lower case alike" });
const shareBps = z.int().min(1).max(10_000).openapi({ description: "Basis points: 1000 is 10 %" });
const amount = cents.min(1);
const groupPart = z.int().min(1).max(100);
const ticketTypeIds = z.array(id).min(1).max(50);
const count = z.int().min(0);

/** A discount as the contract shows it; of the fields that depend on its type, those it has. Counters may be a second old. */
export const discountShape = z
  .object({
    id,
    code: z.string(),
    type: z.enum(DISCOUNT_TYPES),
    percentBps: shareBps.optional(),
    amountCents: amount.optional(),
    scope: z.enum(DISCOUNT_SCOPES).optional(),
    buyQuantity: groupPart.optional(),
    getQuantity: groupPart.optional(),
    percentOffBps: shareBps.optional(),
    until: z.iso.datetime().optional(),
    firstTickets: quantity.optional(),
    validFrom: z.iso.datetime().nullable(),
    validUntil: z.iso.datetime().nullable(),
    ticketTypeIds: ticketTypeIds.nullable(),
    minQuantity: quantity.nullable(),
    minSubtotalCents: sumCents.nullable(),
    maxUses: quantity.nullable(),
    maxUsesUnit: z.enum(USES_UNITS),
    maxUsesPerUser: quantity.nullable(),
    stackable: z.boolean(),
    heldCount: count,
    usedCount: count,
    firstHeldCount: count.optional(),
    firstUsedCount: count.optional(),
    createdAt: z.iso.datetime(),
  })
  .openapi("Discount");

const fields = {
  code,
  type: z.enum(DISCOUNT_TYPES),
  percentBps: shareBps.nullable(),
  amountCents: amount.nullable(),
  scope: z.enum(DISCOUNT_SCOPES).nullable(),
  buyQuantity: groupPart.nullable(),
  getQuantity: groupPart.nullable(),
  percentOffBps: shareBps.nullable(),
  until: time.nullable(),
  firstTickets: quantity.nullable(),
  validFrom: time.nullable(),
  validUntil: time.nullable(),
  ticketTypeIds: ticketTypeIds.nullable(),
  minQuantity: quantity.nullable(),
  minSubtotalCents: sumCents.nullable(),
  maxUses: quantity.nullable(),
  maxUsesUnit: z.enum(USES_UNITS),
  maxUsesPerUser: quantity.nullable(),
  stackable: z.boolean(),
};

/** A new discount, with the contract's defaults. */
export const newDiscountBody = z.strictObject({
  ...fields,
  percentBps: fields.percentBps.default(null),
  amountCents: fields.amountCents.default(null),
  scope: fields.scope.default(null),
  buyQuantity: fields.buyQuantity.default(null),
  getQuantity: fields.getQuantity.default(null),
  percentOffBps: fields.percentOffBps.default(null),
  until: fields.until.default(null),
  firstTickets: fields.firstTickets.default(null),
  validFrom: fields.validFrom.default(null),
  validUntil: fields.validUntil.default(null),
  ticketTypeIds: fields.ticketTypeIds.default(null),
  minQuantity: fields.minQuantity.default(null),
  minSubtotalCents: fields.minSubtotalCents.default(null),
  maxUses: fields.maxUses.default(null),
  maxUsesUnit: fields.maxUsesUnit.default("orders"),
  maxUsesPerUser: fields.maxUsesPerUser.default(null),
  stackable: fields.stackable.default(false),
});

/** Any of the fields; what is left out stays, and null takes away what may be without. */
export const discountChangesBody = z.strictObject(fields).partial();

/** The discount's wire form. */
export function presentDiscount(discount: DiscountView): z.input<typeof discountShape> {
  const { id: discountId, fields: terms, heldCount, usedCount, firstHeldCount, firstUsedCount, createdAtMs } = discount;
  const { code: text, type, ticketTypeIds: typeIds, minQuantity, minSubtotalCents } = terms;
  const { maxUses, maxUsesUnit, maxUsesPerUser, stackable } = terms;
  return {
    id: discountId,
    code: text,
    type,
    ...presentTypeFields(terms),
    validFrom: presentOptionalTime(terms.validFromMs),
    validUntil: presentOptionalTime(terms.validUntilMs),
    ticketTypeIds: typeIds === null ? null : [...typeIds],
    minQuantity,
    minSubtotalCents,
    maxUses,
    maxUsesUnit,
    maxUsesPerUser,
    stackable,
    heldCount,
    usedCount,
    ...(terms.firstTickets === null ? {} : { firstHeldCount, firstUsedCount }),
    createdAt: presentTime(createdAtMs),
  };
}

function presentTypeFields(terms: DiscountFields): Partial<z.input<typeof discountShape>> {
  const { percentBps, amountCents, scope, buyQuantity, getQuantity, percentOffBps, untilMs, firstTickets } = terms;
  return {
    ...(percentBps === null ? {} : { percentBps }),
    ...(amountCents === null ? {} : { amountCents }),
    ...(scope === null ? {} : { scope }),
    ...(buyQuantity === null ? {} : { buyQuantity }),
    ...(getQuantity === null ? {} : { getQuantity }),
    ...(percentOffBps === null ? {} : { percentOffBps }),
    ...(untilMs === null ? {} : { until: presentTime(untilMs) }),
    ...(firstTickets === null ? {} : { firstTickets }),
  };
}
