import { codeKeyOf, type Discount } from "#domain/discount";
import { fieldsOf, makeDiscountTerms, type DiscountFields, type DiscountTerms } from "#domain/discount-fields";
import type { Failure, FieldError } from "#domain/failure";
import { refuse, succeed, type Result } from "#domain/result";
import { isD1ConstraintError } from "#storage/d1-errors";
import { findDiscountRow, findDiscountsByCode, replaceDiscountRow, type StoredDiscount } from "#storage/discounts";
import { attempt } from "../attempt.ts";
import { KEEPS_CHANGING, MOST_ATTEMPTS } from "../concurrent-changes.ts";
import type { SignedInContext } from "../context.ts";
import { checkTicketTypes } from "./check-ticket-types.ts";
import { configureStock } from "./configure-stock.ts";
import { forgetCodes } from "./discount-cache.ts";
import { toDiscountView, type DiscountView } from "./discount-view.ts";

/** What shall change of a discount; what is left out stays, null takes away what may be without. */
export interface UpdateDiscountInput {
  readonly discountId: string;
  readonly fields: { readonly [Field in keyof DiscountFields]?: DiscountFields[Field] | undefined };
}

/**
 * Changes a discount of the caller's tenant: first its caps at their inventories, which alone can refuse them, then D1. An
 * order that has its price already keeps it. Two organisers at once are as with a ticket type: whoever comes second decides
 * anew on what the first one left.
 *
 * Refuses `not_found` (also for an archived one), `validation_failed`, `discount_code_taken`, and `capacity_below_committed`
 * when more is held and used than a new cap allows, and `overloaded` when the discount changed under every attempt. The unit of the
 * caps may not change: what was counted would mean another.
 */
export async function updateDiscount(ctx: SignedInContext, input: UpdateDiscountInput): Promise<Result<DiscountView, Failure>> {
  const { tenantId } = ctx.principal;
  let told: Discount | undefined;
  for (let tries = 0; tries < MOST_ATTEMPTS; tries += 1) {
    const before = await findDiscountRow(ctx.db, tenantId, input.discountId);
    if (!before) {
      // Archived meanwhile: the caps were told after that, by this update, that they are open.
      if (told) await configureStock(ctx, told, true, undefined);
      return refuse({ code: "not_found", what: "discount" });
    }
    const decided = decideUpdate(before, input.fields);
    if (!decided.ok) return decided;
    const terms: Discount = { ...decided.value, id: before.id, tenantId };
    const isFree = await checkReferences(ctx, terms);
    if (!isFree.ok) return isFree;
    const configured = await configureStock(ctx, terms, false, before);
    if (!configured.ok) return configured;
    told = terms;
    const replaced = await attempt(replaceDiscountRow(ctx.db, before, { terms, archivedAtMs: null }, ctx.nowMs));
    forgetCodes(tenantId, [before.code, terms.code]);
    if (!replaced.ok) {
      if (!isD1ConstraintError(replaced.failure)) throw replaced.failure;
      await configureStock(ctx, before, false, undefined);
      return refuse({ code: "discount_code_taken" });
    }
    if (replaced.value) return succeed(toDiscountView(replaced.value));
  }
  return KEEPS_CHANGING;
}

function decideUpdate(before: StoredDiscount, fields: UpdateDiscountInput["fields"]): Result<DiscountTerms, Failure> {
  const given = Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
  // Only fields that `fields` names, with the types it gives them.
  const changed = { ...fieldsOf(before), ...(given as Partial<DiscountFields>) };
  const fixed = (["type", "maxUsesUnit"] as const).filter((field) => changed[field] !== fieldsOf(before)[field]);
  const errors: FieldError[] = fixed.map((path) => {
    return { path, code: "immutable", message: "make another discount, and archive this one" };
  });
  const terms = errors.length > 0 ? refuse(errors) : makeDiscountTerms(changed);
  return terms.ok ? terms : refuse({ code: "validation_failed", errors: terms.failure });
}

/** What the discount names must be there, and its code nobody else's. */
async function checkReferences(ctx: SignedInContext, terms: Discount): Promise<Result<undefined, Failure>> {
  const others = await findDiscountsByCode(ctx.db, terms.tenantId, [terms.code]);
  if (others.some((other) => other.id !== terms.id && codeKeyOf(other.code) === codeKeyOf(terms.code))) {
    return refuse({ code: "discount_code_taken" });
  }
  return checkTicketTypes(ctx, terms.ticketTypeIds);
}
