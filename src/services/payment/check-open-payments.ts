import { isToBeEnded, nextCheckAtMs } from "#domain/payment-check";
import {
  type ActionablePaymentEvent,
  type InspectedPayment,
  type PaymentProviderName,
  selectPaymentProvider,
} from "#payments/payment-provider";
import { listDueChecks, storeChecks, type CheckDone, type DueCheck } from "#storage/payment-checks";
import { attempt } from "../attempt.ts";
import type { ServiceContext } from "../context.ts";
import { takeEvent } from "./receive-webhook.ts";

/** Payments asked for in one run. Each costs at most two calls to its provider and one to a desk. */
const PAYMENTS_A_RUN = 100;
const PAYMENTS_AT_ONCE = 10;
/** When a provider that is down is asked again. */
const DOWN_PAUSE_MS = 2 * 60_000;

/**
 * What a check came to. `open`: money may still come. `paid`: the desk knows of the money now. `ended`: none will come.
 * `unknown`: the provider knows no such payment. `down`: it was not asked. `failed`: what it said could not be acted upon.
 */
type CheckOutcome = "open" | "paid" | "ended" | "unknown" | "down" | "failed";

const EVENT_TYPE_OF = {
  succeeded: "payment.succeeded",
  failed: "payment.failed",
  canceled: "payment.canceled",
} as const;

/**
 * Asks the providers about payments that their orders outlived, because the event that would have told may be lost for good:
 * what was paid is settled as if its event had come, late. Half an hour after the hold an open payment is ended, so that no
 * late money can come. A provider that is down changes nothing. For the cron. @returns how many payments were asked for.
 */
export async function checkOpenPayments(ctx: ServiceContext): Promise<number> {
  const due = await listDueChecks(ctx.d1, ctx.nowMs, PAYMENTS_A_RUN);
  const tally: Record<CheckOutcome, number> = { open: 0, paid: 0, ended: 0, unknown: 0, down: 0, failed: 0 };
  const down = new Set<string>();
  for (let start = 0; start < due.length; start += PAYMENTS_AT_ONCE) {
    const together = due.slice(start, start + PAYMENTS_AT_ONCE);
    const outcomes = await Promise.all(together.map((check) => checkPayment(ctx, check, down)));
    for (const outcome of outcomes) tally[outcome] += 1;
    await storeChecks(
      ctx.d1,
      together.map((check, at) => scheduleNext(ctx, check, outcomes[at] ?? "failed")),
    );
  }
  if (due.length > 0) ctx.logger.info("open payments were checked", tally);
  return due.length - tally.down;
}

/** Never rejects. @param down providers that a check of this run found down: they are left alone. */
async function checkPayment(ctx: ServiceContext, check: DueCheck, down: Set<string>): Promise<CheckOutcome> {
  if (down.has(check.provider)) return "down";
  const provider = selectPaymentProvider(ctx.paymentProviders, check.provider);
  if (!provider.ok) return complain(ctx, check, "no such provider is configured");
  const asked = await attempt(
    isToBeEnded(check, ctx.nowMs) ? provider.value.cancelPayment(check.paymentId) : provider.value.findPayment(check.paymentId),
  );
  if (!asked.ok) return complain(ctx, check, asked.failure);
  const answer = asked.value;
  if (!answer.ok) {
    // A refused request says nothing about the provider's health, and the next payment may fare better.
    if (answer.failure.reason === "refused") return complain(ctx, check, `refused with ${answer.failure.httpStatus}`);
    down.add(check.provider);
    ctx.logger.warn("a payment provider could not be asked", { provider: check.provider, reason: answer.failure.reason });
    return "down";
  }
  if (answer.value === undefined) return "unknown";
  const told = await attempt(tellDesk(ctx, check, provider.value.name, answer.value));
  return told.ok ? told.value : complain(ctx, check, told.failure);
}

/** Tells the order's desk what the provider said, under an id that is the same however often it says so. */
async function tellDesk(
  ctx: ServiceContext,
  check: DueCheck,
  provider: PaymentProviderName,
  inspected: InspectedPayment,
): Promise<CheckOutcome> {
  const { paymentId, status, amountCents, currency } = inspected;
  if (status === "open" || (status === "failed" && check.paymentStatus === "FAILED")) return "open";
  const event: ActionablePaymentEvent = {
    provider,
    eventId: `reconciled-${paymentId}-${status}`,
    type: EVENT_TYPE_OF[status],
    occurredAtMs: ctx.nowMs,
    paymentId,
    orderId: check.orderId,
    amountCents,
    currency,
    rawType: "reconciled",
  };
  if (status === "succeeded") ctx.logger.warn("money came that no event told of", idsOf(check));
  await takeEvent(ctx, event);
  return status === "succeeded" ? "paid" : status === "canceled" ? "ended" : "open";
}

function scheduleNext(ctx: ServiceContext, check: DueCheck, outcome: CheckOutcome): CheckDone {
  if (outcome === "down") return { payment: check, checks: check.checks, nextCheckAtMs: ctx.nowMs + DOWN_PAUSE_MS };
  const checks = check.checks + 1;
  if (outcome === "ended") return { payment: check, checks, nextCheckAtMs: null };
  const nextMs = nextCheckAtMs(checks, ctx.nowMs);
  if (nextMs === null) {
    ctx.logger.error("a payment stays open, nobody asks for it any more", { alert: "payment_open", outcome, ...idsOf(check) });
  }
  return { payment: check, checks, nextCheckAtMs: nextMs };
}

function complain(ctx: ServiceContext, check: DueCheck, error: unknown): "failed" {
  ctx.logger.warn("a payment's check failed, will be tried again", { ...idsOf(check), error });
  return "failed";
}

function idsOf({ provider, orderId, paymentId }: DueCheck): Readonly<Record<string, string>> {
  return { provider, orderId, paymentId };
}
