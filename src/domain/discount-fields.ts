import type { Discount, DiscountConditions, DiscountRule, DiscountScope, DiscountType } from "./discount.ts";
import type { FieldError } from "./failure.ts";
import { assertInvariant, refuse, succeed, type Result } from "./result.ts";

/** What some type of discount needs and others must not have; null where it is not given. */
export interface TypeFields {
  readonly percentBps: number | null;
  readonly amountCents: number | null;
  readonly scope: DiscountScope | null;
  readonly buyQuantity: number | null;
  readonly getQuantity: number | null;
  readonly percentOffBps: number | null;
  readonly untilMs: number | null;
  readonly firstTickets: number | null;
}

/** A discount as its organiser describes it, flat. Each field alone is within its limits. */
export interface DiscountFields extends TypeFields, DiscountConditions {
  readonly code: string;
  readonly type: DiscountType;
}

/** What a discount is, but for whose. */
export type DiscountTerms = Omit<Discount, "id" | "tenantId">;

const NO_TYPE_FIELDS: TypeFields = {
  percentBps: null,
  amountCents: null,
  scope: null,
  buyQuantity: null,
  getQuantity: null,
  percentOffBps: null,
  untilMs: null,
  firstTickets: null,
};

const FREE_OF_CHARGE_BPS = 10_000;

interface FieldsOfType {
  readonly required: readonly (keyof TypeFields)[];
  readonly optional: readonly (keyof TypeFields)[];
}

const FIELDS_OF_TYPE: Readonly<Record<DiscountType, FieldsOfType>> = {
  percentage: { required: ["percentBps"], optional: [] },
  fixed: { required: ["amountCents", "scope"], optional: [] },
  bogo: { required: ["buyQuantity", "getQuantity"], optional: ["percentOffBps"] },
  early_bird: { required: [], optional: ["percentBps", "amountCents", "untilMs", "firstTickets"] },
};

/** The names that callers know a field by, where it is another one. */
const WIRE_NAMES: Readonly<Partial<Record<keyof TypeFields, string>>> = { untilMs: "until" };

function errorAt(field: keyof TypeFields, code: string, message: string): FieldError {
  return { path: WIRE_NAMES[field] ?? field, code, message };
}

/** Rules between the fields of a discount; those of a single field are its schema's. Empty when all hold. */
function listErrors(fields: DiscountFields): readonly FieldError[] {
  const { required, optional } = FIELDS_OF_TYPE[fields.type];
  const errors: FieldError[] = [];
  // The names of an object that has exactly these.
  for (const field of Object.keys(NO_TYPE_FIELDS) as (keyof TypeFields)[]) {
    const isGiven = fields[field] !== null;
    if (required.includes(field) && !isGiven) errors.push(errorAt(field, "required", `a ${fields.type} discount needs it`));
    if (isGiven && !required.includes(field) && !optional.includes(field)) {
      errors.push(errorAt(field, "not_of_type", `a ${fields.type} discount has none`));
    }
  }
  if (fields.type === "early_bird") errors.push(...listEarlyBirdErrors(fields));
  const { validFromMs, validUntilMs } = fields;
  if (validFromMs !== null && validUntilMs !== null && validUntilMs <= validFromMs) {
    errors.push({ path: "validUntil", code: "not_after_start", message: "the discount must end after it starts" });
  }
  if (fields.ticketTypeIds !== null && new Set(fields.ticketTypeIds).size !== fields.ticketTypeIds.length) {
    errors.push({ path: "ticketTypeIds", code: "duplicate_ticket_type", message: "each ticket type may stand there once" });
  }
  return errors;
}

function listEarlyBirdErrors(fields: DiscountFields): readonly FieldError[] {
  const errors: FieldError[] = [];
  if ((fields.percentBps === null) === (fields.amountCents === null)) {
    errors.push(errorAt("percentBps", "exclusive", "either percentBps or amountCents, and not both"));
  }
  if (fields.untilMs === null && fields.firstTickets === null) {
    errors.push(errorAt("untilMs", "required", "an early bird ends at a time, or after the first tickets, or both"));
  }
  if (fields.untilMs !== null && fields.validFromMs !== null && fields.untilMs <= fields.validFromMs) {
    errors.push(errorAt("untilMs", "not_after_start", "the discount must end after it starts"));
  }
  return errors;
}

/** The discount that the fields describe, or all that is wrong between them. */
export function makeDiscountTerms(fields: DiscountFields): Result<DiscountTerms, readonly FieldError[]> {
  const errors = listErrors(fields);
  if (errors.length > 0) return refuse(errors);
  const { code, validFromMs, validUntilMs, ticketTypeIds, minQuantity, minSubtotalCents } = fields;
  const { maxUses, maxUsesUnit, maxUsesPerUser, stackable } = fields;
  return succeed({
    code: code.trim(),
    rule: toRule(fields),
    validFromMs,
    validUntilMs,
    ticketTypeIds,
    minQuantity,
    minSubtotalCents,
    maxUses,
    maxUsesUnit,
    maxUsesPerUser,
    stackable,
  });
}

function toRule(fields: DiscountFields): DiscountRule {
  const { percentBps, amountCents, scope, buyQuantity, getQuantity, percentOffBps, untilMs, firstTickets } = fields;
  switch (fields.type) {
    case "percentage":
      assertInvariant(percentBps !== null, "a percentage has one");
      return { type: "percentage", percentBps };
    case "fixed":
      assertInvariant(amountCents !== null && scope !== null, "a fixed discount has an amount and a scope");
      return { type: "fixed", amountCents, scope };
    case "bogo":
      assertInvariant(buyQuantity !== null && getQuantity !== null, "buy and get have quantities");
      return { type: "bogo", buyQuantity, getQuantity, percentOffBps: percentOffBps ?? FREE_OF_CHARGE_BPS };
    case "early_bird": {
      const cut = percentBps === null ? { amountCents: amountCents ?? 0 } : { percentBps };
      return { type: "early_bird", cut, untilMs, firstTickets };
    }
  }
}

/** The fields that {@link makeDiscountTerms} would make this discount of. */
export function fieldsOf(terms: DiscountTerms): DiscountFields {
  const { rule, ...conditions } = terms;
  return { ...conditions, ...NO_TYPE_FIELDS, ...typeFieldsOf(rule) };
}

function typeFieldsOf(rule: DiscountRule): { readonly type: DiscountType } & Partial<TypeFields> {
  if (rule.type !== "early_bird") return rule;
  const { type, cut, untilMs, firstTickets } = rule;
  return { type, ...cut, untilMs, firstTickets };
}
