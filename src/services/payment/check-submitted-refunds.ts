import { isRefundOverdue, nextRefundCheckAtMs } from "#domain/refund-check";
import { selectPaymentProvider } from "#payments/payment-provider";
import { listDueRefunds, storeRefundChecks, type DueRefund, type RefundCheckDone } from "#storage/refund-checks";
import { attempt } from "../attempt.ts";
import type { ServiceContext } from "../context.ts";
import { takeEvent } from "./receive-webhook.ts";

/** Refunds asked about in one run. Each costs at most a call to its provider and one to a desk. */
const REFUNDS_A_RUN = 100;
const REFUNDS_AT_ONCE = 10;
/** When a provider that is down is asked again. */
const DOWN_PAUSE_MS = 2 * 60_000;

/**
 * What asking came to. `on_its_way`: it is not done yet. `done`: the desk knows how it ended. `by_hand`: no provider can be asked.
 * `unknown`: the provider knows no such refund. `down`: it was not asked. `failed`: what it said could not be acted upon.
 */
type CheckOutcome = "on_its_way" | "done" | "by_hand" | "unknown" | "down" | "failed";

/**
 * Asks the providers each day about refunds that they took and that no event told the end of, because that event may be lost for
 * good. Of one that is on its way for two weeks a person is told, and every two weeks again, also when no provider can be
 * asked. A provider that is down changes nothing. For the cron. @returns how many refunds were looked at.
 */
export async function checkSubmittedRefunds(ctx: ServiceContext): Promise<number> {
  const due = await listDueRefunds(ctx.d1, ctx.nowMs, REFUNDS_A_RUN);
  const tally: Record<CheckOutcome, number> = { on_its_way: 0, done: 0, by_hand: 0, unknown: 0, down: 0, failed: 0 };
  const down = new Set<string>();
  for (let start = 0; start < due.length; start += REFUNDS_AT_ONCE) {
    const together = due.slice(start, start + REFUNDS_AT_ONCE);
    const outcomes = await Promise.all(together.map((refund) => checkRefund(ctx, refund, down)));
    for (const outcome of outcomes) tally[outcome] += 1;
    await storeRefundChecks(
      ctx.d1,
      together.map((refund, at) => scheduleNext(ctx, refund, outcomes[at] ?? "failed")),
    );
  }
  if (due.length > 0) ctx.logger.info("refunds on their way were checked", tally);
  return due.length - tally.down;
}

/** Never rejects. @param down providers that a check of this run found down: they are left alone. */
async function checkRefund(ctx: ServiceContext, refund: DueRefund, down: Set<string>): Promise<CheckOutcome> {
  if (down.has(refund.provider)) return "down";
  const provider = selectPaymentProvider(ctx.paymentProviders, refund.provider);
  if (!provider.ok || refund.providerRefundId === null) return "by_hand";
  const asked = await attempt(provider.value.findRefund(refund.providerRefundId));
  if (!asked.ok) return complain(ctx, refund, asked.failure);
  const answer = asked.value;
  if (!answer.ok) {
    // A refused request says nothing about the provider's health, and the next refund may fare better.
    if (answer.failure.reason === "refused") return complain(ctx, refund, `refused with ${answer.failure.httpStatus}`);
    down.add(refund.provider);
    ctx.logger.warn("a payment provider could not be asked", { provider: refund.provider, reason: answer.failure.reason });
    return "down";
  }
  if (answer.value === undefined) return "unknown";
  const { status } = answer.value;
  if (status === "submitted") return "on_its_way";
  const { id: refundId, tenantId, orderId, paymentId, amountCents, currency } = refund;
  ctx.logger.warn("a refund has ended, and no event told of it", { ...idsOf(refund), status });
  const event = {
    provider: provider.value.name,
    eventId: `reconciled-${refundId}-${status}`,
    type: `refund.${status}`,
    rawType: "reconciled",
    occurredAtMs: ctx.nowMs,
    paymentId,
    orderId,
    tenantId,
    amountCents,
    currency,
    refundId,
  } as const;
  const told = await attempt(takeEvent(ctx, event));
  return told.ok ? "done" : complain(ctx, refund, told.failure);
}

function scheduleNext(ctx: ServiceContext, refund: DueRefund, outcome: CheckOutcome): RefundCheckDone {
  const { id, checks } = refund;
  if (outcome === "down") return { id, checks, nextCheckAtMs: ctx.nowMs + DOWN_PAUSE_MS };
  if (outcome !== "done" && isRefundOverdue(checks + 1)) {
    ctx.logger.error("a refund is still on its way", { alert: "refund_open", outcome, ...idsOf(refund) });
  }
  return { id, checks: checks + 1, nextCheckAtMs: nextRefundCheckAtMs(ctx.nowMs) };
}

function complain(ctx: ServiceContext, refund: DueRefund, error: unknown): "failed" {
  ctx.logger.warn("a refund's check failed, will be tried again", { ...idsOf(refund), error });
  return "failed";
}

function idsOf({ provider, orderId, id: refundId }: DueRefund): Readonly<Record<string, string>> {
  return { provider, orderId, refundId };
}
