import type { Failure } from "#domain/failure";
import type { Result } from "#domain/result";
import type { SignedInContext } from "../context.ts";
import { priceRequestedBasket, type BasketRequest, type PricedBasket } from "./price-basket.ts";

/** Prices a basket exactly as a purchase would, holding nothing. Refusals as {@link priceRequestedBasket}. */
export function quoteOrder(ctx: SignedInContext, request: BasketRequest): Promise<Result<PricedBasket, Failure>> {
  return priceRequestedBasket(ctx, request);
}
