import { deskNumberOf } from "#domain/ids";
import type { BasketLine, HoldView, MadeOnce, RequestIdentity } from "#domain/order-messages";
import { refuse } from "#domain/result";
import { isBarredFromBuying } from "../blacklist/blacklist.ts";
import type { SignedInContext } from "../context.ts";
import { priceRequestedBasket } from "../order/price-basket.ts";
import { rememberStock } from "../ticket-type/stock-cache.ts";

/** A hold as the buyer asks for it. */
export interface HoldStockInput {
  readonly request: RequestIdentity;
  readonly eventId: string;
  readonly lines: readonly BasketLine[];
}

/** Holds stock of every line for the caller, all or nothing. Refuses as the basket or the stock does, and `user_blacklisted`. */
export async function holdStock(ctx: SignedInContext, input: HoldStockInput): Promise<MadeOnce<HoldView>> {
  const { request, eventId, lines } = input;
  const desk = ctx.desk(deskNumberOf(request.requestId));
  const [isBarred, found] = await Promise.all([
    isBarredFromBuying(ctx),
    priceRequestedBasket(ctx, { eventId, tickets: lines }),
  ]);
  const priced = isBarred ? refuse({ code: "user_blacklisted" as const }) : found;
  if (!priced.ok) {
    const first = await desk.findHoldAnswer(request);
    return first ?? { ok: false, failure: priced.failure, replayed: false, stock: [] };
  }
  const { holdMs } = priced.value;
  const held = await desk.hold({ request, eventId, lines, ...(holdMs === undefined ? {} : { holdMs }) });
  rememberStock(held.stock);
  return held;
}
