import type { Failure } from "#domain/failure";
import { deskNumberOf } from "#domain/ids";
import type { DeskPort, MadeOnce, OrderView, RefusedOnce, RequestIdentity } from "#domain/order-messages";
import { refuse } from "#domain/result";
import { selectPaymentProvider, type PaymentProvider } from "#payments/payment-provider";
import { isBarredFromBuying } from "../blacklist/blacklist.ts";
import type { SignedInContext } from "../context.ts";
import { rememberStock } from "../ticket-type/stock-cache.ts";
import { priceRequestedBasket, type BasketRequest } from "./price-basket.ts";

/** A purchase as the buyer asks for it. */
export interface PlaceOrderInput extends BasketRequest {
  readonly request: RequestIdentity;
  readonly paymentProvider?: string | undefined;
  readonly walletAddress?: string | undefined;
}

const DEFAULT_PROVIDER = "standard";

/**
 * Prices the basket, holds its stock, makes the order durable at the buyer's desk and creates its payment at the provider.
 *
 * Safe to repeat with the same request: the order is found again, and a payment that a crash left out is created then, under
 * the order id as the provider's key. Refuses as the basket, the stock or the provider does; a provider that is down leaves
 * the order standing, so the same request, sent again, goes on where it stopped.
 */
export async function placeOrder(ctx: SignedInContext, input: PlaceOrderInput): Promise<MadeOnce<OrderView>> {
  const provider = selectPaymentProvider(ctx.paymentProviders, input.paymentProvider ?? DEFAULT_PROVIDER);
  if (!provider.ok) return refused(provider.failure);
  const desk = ctx.desk(deskNumberOf(input.request.requestId));
  const placed = await placeAtDesk(ctx, desk, input);
  rememberStock(placed.stock);
  if (!placed.ok || placed.value.payment !== null || placed.value.status !== "PENDING") return placed;
  // A free order that is still PENDING could not be settled yet: its desk goes on by itself, and there is nothing to pay.
  if (placed.value.totalCents === 0) return placed;
  return addPayment(ctx, desk, placed, provider.value);
}

async function placeAtDesk(ctx: SignedInContext, desk: DeskPort, input: PlaceOrderInput): Promise<MadeOnce<OrderView>> {
  const { request, reservationId, walletAddress } = input;
  const [isBarred, found] = await Promise.all([isBarredFromBuying(ctx), priceRequestedBasket(ctx, input)]);
  const priced = isBarred ? refuse({ code: "user_blacklisted" as const }) : found;
  // What was bought may be off sale by now, or its buyer barred: a repeat still gets its first answer.
  if (!priced.ok) return (await desk.findPlaceAnswer(request)) ?? refused(priced.failure);
  const held = reservationId === undefined ? {} : { reservationId };
  return desk.place({ request, ...priced.value, ...held, walletAddress: walletAddress ?? null });
}

/** Creates the order's payment, or finds the one an earlier try made, and tells the desk. */
async function addPayment(
  ctx: SignedInContext,
  desk: DeskPort,
  placed: Extract<MadeOnce<OrderView>, { ok: true }>,
  provider: PaymentProvider,
): Promise<MadeOnce<OrderView>> {
  const order = placed.value;
  const created = await provider.createPayment(
    {
      orderId: order.id,
      tenantId: order.tenantId,
      amountCents: order.totalCents,
      currency: order.currency,
      description: `Order ${order.orderNumber}`,
      expiresAtMs: order.holdExpiresAtMs,
    },
    order.id,
  );
  if (!created.ok) {
    const { code, retryAfterSeconds, reason } = created.failure;
    ctx.logger.warn("the payment provider did not create a payment", { orderId: order.id, provider: provider.name, reason });
    return refused({ code, retryAfterSeconds });
  }
  const withPayment = await desk.attachPayment(order.tenantId, order.id, created.value);
  return { ...placed, value: withPayment ?? order };
}

function refused(failure: Failure): RefusedOnce {
  return { ok: false, failure, replayed: false, stock: [] };
}
