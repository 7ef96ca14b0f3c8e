import { expect, it } from "vitest";
import { takeNextStep, type StepReach } from "#durable-objects/order-desk/order-steps";
import type { OrderRecord } from "#domain/order";
import { decideNews } from "#domain/payment-news";
import { refuse, succeed, type Result } from "#domain/result";
import type { PaymentProvider, PaymentProviderDown, RequestedRefund } from "#payments/payment-provider";
import { makeNews, makeOrder, takeStep } from "../support/order-story.ts";
import { SILENT } from "../support/node/mint-world.ts";

/** An order that was paid twice: the second payment is to go back. */
function makePaidTwice(): OrderRecord {
  const paid = takeStep(decideNews(makeOrder(), makeNews("payment.succeeded"), 1).record, false, 2);
  return decideNews(paid, makeNews("payment.succeeded", { paymentId: "second" }), 3).record;
}

async function askFor(answer: Result<RequestedRefund, PaymentProviderDown>, alerts: unknown[] = []): Promise<unknown> {
  const unused = (): never => {
    throw new Error("not asked here");
  };
  const logger = { ...SILENT, error: (_: string, fields?: unknown): void => void alerts.push(fields) };
  const standard = { name: "standard", requestRefund: async () => answer } as unknown as PaymentProvider; // all that is called
  const reach: StepReach = {
    inventory: unused,
    batcher: { confirm: unused },
    gate: unused,
    paymentProviders: { standard },
    logger,
  };
  return takeNextStep(reach, makePaidTwice());
}

it.each([
  [{ reason: "refused", httpStatus: 403 }, "provider standard: refused, HTTP status 403"],
  [{ reason: "unreachable" }, "provider standard: unreachable, HTTP status none"],
] as const)("a refund that is not taken (%j) says which provider said what, for the log", async (why, text) => {
  const failure = { code: "payment_provider_down", retryAfterSeconds: 5, ...why } as const;
  await expect(askFor(refuse(failure))).rejects.toThrow(text);
});

it("a refund that can never be made calls a person, and says which provider refused it", async () => {
  const alerts: unknown[] = [];
  await askFor(succeed({ refundId: "re_1", status: "failed" }), alerts);
  expect(alerts).toMatchObject([{ alert: "refund_failed", provider: "standard" }]);
});
