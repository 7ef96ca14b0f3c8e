import type { Failure } from "#domain/failure";
import { refuse, succeed, type Result } from "#domain/result";
import { findDiscountRow, replaceDiscountRow } from "#storage/discounts";
import { KEEPS_CHANGING, MOST_ATTEMPTS } from "../concurrent-changes.ts";
import type { SignedInContext } from "../context.ts";
import { configureStock } from "./configure-stock.ts";
import { forgetCodes } from "./discount-cache.ts";

/**
 * Takes a discount of the caller's tenant away for good. Nobody can use its code from the answer on (one without a cap: for up
 * to 2 s in other isolates); an order that has its price keeps it, and another discount may have the code. Archiving twice is
 * fine. Refuses `not_found`, and `overloaded` when the discount changed under every attempt.
 */
export async function archiveDiscount(ctx: SignedInContext, discountId: string): Promise<Result<undefined, Failure>> {
  const { tenantId } = ctx.principal;
  for (let tries = 0; tries < MOST_ATTEMPTS; tries += 1) {
    const before = await findDiscountRow(ctx.db, tenantId, discountId, true);
    if (!before) return refuse({ code: "not_found", what: "discount" });
    if (before.archivedAtMs !== null) return succeed(undefined);
    const configured = await configureStock(ctx, before, true, before);
    if (!configured.ok) return configured;
    const archived = await replaceDiscountRow(ctx.db, before, { terms: before, archivedAtMs: ctx.nowMs }, ctx.nowMs);
    forgetCodes(tenantId, [before.code]);
    if (archived) return succeed(undefined);
  }
  return KEEPS_CHANGING;
}
