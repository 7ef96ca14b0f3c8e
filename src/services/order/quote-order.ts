import type { Failure } from "#domain/failure";
import { refuse, type Result } from "#domain/result";
import type { SignedInContext } from "../context.ts";
import { priceRequestedBasket, type BasketRequest, type PricedBasket } from "./price-basket.ts";

/**
 * Prices a basket exactly as a purchase would, holding nothing. Refusals as {@link priceRequestedBasket}, and
 * `discount_exhausted` for a capped code that has too little left at this moment. What one user may have of it, and whether the
 * tickets are left and on sale now, only a purchase asks: the price of a sale that begins tomorrow may be shown today.
 */
export async function quoteOrder(ctx: SignedInContext, request: BasketRequest): Promise<Result<PricedBasket, Failure>> {
  const priced = await priceRequestedBasket(ctx, request);
  if (!priced.ok) return priced;
  const uses = priced.value.discounts.flatMap((discount) => discount.uses);
  const stocks = await Promise.all(uses.map(({ stockName }) => ctx.inventory(stockName).snapshot()));
  const lacking = uses.find(({ quantity }, at) => quantity > (stocks[at]?.availableCount ?? quantity));
  return lacking ? refuse({ code: "discount_exhausted", discountCode: lacking.discountCode }) : priced;
}
