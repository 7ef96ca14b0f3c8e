import type { MadeOnce, OrderView, RefundCommand } from "#domain/order-messages";
import type { OrderStatus } from "#domain/statuses";
import { pause } from "#platform/clock";
import { answerWithin, waitAtMost } from "#platform/wait-at-most";
import { findOrderRow } from "#storage/orders";
import { hasHeardOfRefund, type ToldRefund } from "#storage/refunds";
import { attempt } from "../attempt.ts";
import type { SignedInContext } from "../context.ts";
import { findDesk } from "../find-desk.ts";
import { forgetStock } from "../ticket-type/stock-cache.ts";

/** Tickets must die whether or not D1 answers: so long is waited for what it says of their order. */
const LONGEST_QUESTION_MS = 1_000;
/** D1 hears of a refund within half a second; so long is waited for it, and not at all while D1 is down. */
const LONGEST_WAIT_MS = 3_000;
const BETWEEN_LOOKS_MS = 100;

/**
 * Pays tickets of any order of the tenant back, all that are left unless some are named. Their codes are dead at the gate before
 * the answer, and lists and reads show it, unless D1 is slower than usual; the money follows. Under the same key the first answer comes
 * again. Refuses `not_found`, `order_not_refundable`, `ticket_not_valid`, `refund_exceeds_payment`, `request_in_flight`,
 * `idempotency_key_reused`, and `overloaded` while the gate cannot be reached: the same key goes on then.
 */
export async function refundOrder(
  ctx: SignedInContext,
  command: Omit<RefundCommand, "statusInD1">,
): Promise<MadeOnce<OrderView>> {
  const { tenantId } = ctx.principal;
  const { orderId } = command;
  const desk = findDesk(ctx, tenantId, orderId);
  if (!desk) return { ok: false, failure: { code: "not_found", what: "order" }, replayed: false, stock: [] };
  const refunded = await desk.refund({ ...command, statusInD1: await findStatus(ctx, orderId) });
  if (!refunded.ok) return refunded;
  if (command.restock) forgetStock(refunded.value.lines.map((line) => line.ticketTypeId));
  const { refundedCents } = refunded.value;
  const heard = awaitD1(ctx, { tenantId, orderId, ticketIds: command.ticketIds, refundedCents });
  await waitAtMost(heard, LONGEST_WAIT_MS);
  return refunded;
}

/** Asked before the desk, so that the desk remembers it with its answer: asked for a repeat, D1 may have heard more. */
async function findStatus(ctx: SignedInContext, orderId: string): Promise<OrderStatus | null> {
  const found = findOrderRow(ctx.db, ctx.principal.tenantId, orderId, ctx.nowMs);
  const row = await attempt(answerWithin("order in D1", found, LONGEST_QUESTION_MS));
  // What D1 says of refunds the desk knows better.
  return row.ok && row.value !== undefined && row.value.status !== "REFUNDED" ? row.value.status : null;
}

async function awaitD1(ctx: SignedInContext, refund: ToldRefund): Promise<void> {
  for (let look = 0; look * BETWEEN_LOOKS_MS < LONGEST_WAIT_MS; look += 1) {
    const heard = await attempt(hasHeardOfRefund(ctx.db, refund));
    if (!heard.ok || heard.value) return;
    await pause(BETWEEN_LOOKS_MS);
  }
}
