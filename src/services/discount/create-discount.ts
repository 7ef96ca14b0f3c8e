import type { Discount } from "#domain/discount";
import { makeDiscountTerms, type DiscountFields } from "#domain/discount-fields";
import type { Failure } from "#domain/failure";
import { refuse, succeed, type Result } from "#domain/result";
import { findDiscountsByCode, insertDiscountRow } from "#storage/discounts";
import type { SignedInContext } from "../context.ts";
import { checkTicketTypes } from "./check-ticket-types.ts";
import { configureStock } from "./configure-stock.ts";
import { forgetCodes } from "./discount-cache.ts";
import { toDiscountView, type DiscountView } from "./discount-view.ts";

/**
 * Makes a discount code of the caller's tenant. Refuses `validation_failed`, and `discount_code_taken` when the tenant has the
 * code already, in whatever case.
 *
 * The inventories of its caps come first, so a stored code always has stock that answers; those of a code that was never
 * stored are reachable by nobody.
 */
export async function createDiscount(ctx: SignedInContext, fields: DiscountFields): Promise<Result<DiscountView, Failure>> {
  const { tenantId } = ctx.principal;
  const terms = makeDiscountTerms(fields);
  if (!terms.ok) return refuse({ code: "validation_failed", errors: terms.failure });
  const discount: Discount = { ...terms.value, id: ctx.newId(), tenantId };
  const checked = await checkTicketTypes(ctx, discount.ticketTypeIds);
  if (!checked.ok) return checked;
  const [other] = await findDiscountsByCode(ctx.db, tenantId, [discount.code]);
  if (other) return refuse({ code: "discount_code_taken" });
  const configured = await configureStock(ctx, discount, false, undefined);
  if (!configured.ok) return configured;
  const stored = await insertDiscountRow(ctx.db, discount, ctx.nowMs);
  forgetCodes(tenantId, [discount.code]);
  return stored ? succeed(toDiscountView(stored)) : refuse({ code: "discount_code_taken" });
}
