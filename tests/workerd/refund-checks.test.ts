/** What the cron does about refunds whose provider took them and told no more: it asks each day, and calls a person in time. */
import { env } from "cloudflare:workers";
import { afterAll, afterEach, beforeAll, expect, it, vi } from "vitest";
import { runCron } from "#services/upkeep/run-cron";
import { checkSubmittedRefunds } from "#services/payment/check-submitted-refunds";
import { createCronContext } from "#src/compose";
import { makeLogger, type LogLine } from "../support/call-service.ts";
import { runDeskOf } from "../support/open-sale.ts";
import { sellPaid } from "../support/paid-over-http.ts";
import { serveOutside, type ProviderBooks } from "../support/payment-provider-at-test.ts";
import { makeAskedProvider, type AskedProvider } from "../support/provider-to-ask.ts";

const DAY_MS = 86_400_000;

let books: ProviderBooks;
beforeAll(() => {
  books = serveOutside();
});
afterEach(() => {
  vi.useRealTimers();
});
afterAll(() => {
  vi.restoreAllMocks();
});

/** A refund that its provider has taken, and what the provider is asked by. */
async function submit(): Promise<{
  readonly orderId: string;
  readonly providerRefundId: string;
  readonly asked: AskedProvider;
}> {
  const sold = await sellPaid(1);
  const { orderId } = sold;
  await sold.refund();
  await runDeskOf(orderId);
  await expect.poll(() => books.refunds.some((body) => body["orderId"] === orderId)).toBe(true);
  await expect.poll(async () => (await findRefund(orderId))["status"]).toBe("submitted");
  const { providerRefundId } = await findRefund(orderId);
  return { orderId, providerRefundId: String(providerRefundId), asked: makeAskedProvider() };
}

async function findRefund(orderId: string): Promise<Readonly<Record<string, unknown>>> {
  await runDeskOf(orderId);
  const query = `SELECT id, status, checks, provider_refund_id AS providerRefundId FROM refunds WHERE order_id = ?`;
  return (await env.DB.prepare(query).bind(orderId).first()) ?? {};
}

async function runOnDay(day: number, asked: AskedProvider): Promise<LogLine[]> {
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + day * DAY_MS });
  const lines: LogLine[] = [];
  const context = { ...createCronContext(env, Date.now()), logger: makeLogger(lines) };
  const job = { name: "check submitted refunds", run: checkSubmittedRefunds };
  await runCron({ ...context, paymentProviders: { standard: asked.provider } }, [job]);
  vi.useRealTimers();
  return lines;
}

it.each(["succeeded", "failed"] as const)(
  "a refund that %s and that no event told of is found by asking, once",
  async (status) => {
    const { orderId, providerRefundId, asked } = await submit();
    asked.refunds.set(providerRefundId, { refundId: providerRefundId, status });
    await runOnDay(0.9, asked);
    expect(asked.asked).toEqual([]);
    await runOnDay(1.1, asked);
    await expect.poll(async () => (await findRefund(orderId))["status"]).toBe(status);
    await runOnDay(3, asked);
    expect(asked.asked.filter((question) => question.endsWith(providerRefundId))).toEqual([`refund ${providerRefundId}`]);
  },
);

it("one that stays on its way is asked about each day, and calls a person every two weeks", async () => {
  const { orderId, providerRefundId, asked } = await submit();
  asked.refunds.set(providerRefundId, { refundId: providerRefundId, status: "submitted" });
  const alertedOn: number[] = [];
  for (let day = 1; day <= 30; day += 1) {
    for (const hours of [1, 12]) {
      const lines = await runOnDay(day + hours / 24, asked);
      const alerts = lines.filter(({ fields }) => fields["alert"] === "refund_open" && fields["orderId"] === orderId);
      for (const { level, fields } of alerts) {
        expect([level, fields["outcome"], fields["provider"]]).toEqual(["error", "on_its_way", "standard"]);
        alertedOn.push(day);
      }
    }
  }
  expect(alertedOn).toEqual([14, 28]);
  expect(asked.asked.filter((question) => question.endsWith(providerRefundId))).toHaveLength(30);
  expect(await findRefund(orderId)).toMatchObject({ status: "submitted", checks: 30 });
});

it("one whose provider is down stays as it is and is not counted as asked about", async () => {
  const { orderId, asked } = await submit();
  asked.isDown = true;
  await runOnDay(2, asked);
  expect(await findRefund(orderId)).toMatchObject({ status: "submitted", checks: 0 });
});

it("one that no provider can be asked about calls a person, too", async () => {
  const { orderId, asked } = await submit();
  await env.DB.prepare("UPDATE refunds SET provider = 'internal', checks = 13 WHERE order_id = ?").bind(orderId).run();
  const lines = await runOnDay(15, asked);
  const alerts = lines.filter(({ fields }) => fields["alert"] === "refund_open" && fields["orderId"] === orderId);
  expect(alerts).toMatchObject([{ fields: { outcome: "by_hand", provider: "internal" } }]);
});
