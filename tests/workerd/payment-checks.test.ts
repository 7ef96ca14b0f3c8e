/** What the cron does about payments that nobody told us of: it asks, settles what was paid, and ends what stayed open. */
import { env } from "cloudflare:workers";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { deskName, deskNumberOf } from "#domain/ids";
import type { OrderView } from "#domain/order-messages";
import type { ActionablePaymentEvent } from "#payments/payment-provider";
import { CRON_JOBS, runCron } from "#services/upkeep/run-cron";
import { createCronContext } from "#src/compose";
import { storeChecks } from "#storage/payment-checks";
import { makeLogger, type LogLine } from "../support/call-service.ts";
import { buy, flushDeskOf, idOf, openSale, runDeskOf, type Sale } from "../support/open-sale.ts";
import { paymentIdOf, serveOutside } from "../support/payment-provider-at-test.ts";
import { makeAskedProvider, type AskedProvider } from "../support/provider-to-ask.ts";

const MINUTE_MS = 60_000;
const PAYMENT_JOBS = CRON_JOBS.filter(({ name }) => name.includes("payment"));

beforeAll(() => {
  serveOutside();
});
afterEach(() => {
  vi.useRealTimers();
});
afterAll(() => {
  vi.restoreAllMocks();
});

function passTime(ms: number): void {
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + ms });
}

interface Abandoned {
  readonly sale: Sale;
  readonly orderId: string;
  readonly paymentId: string;
  readOrder(): Promise<OrderView | undefined>;
  cancel(): Promise<number>;
}

/** An order whose payment was created and of which no event ever comes. */
async function abandon(asked: AskedProvider): Promise<Abandoned> {
  const sale = await openSale({ reservationTtlSeconds: 60 });
  const buyer = await sale.makeBuyer();
  const orderId = idOf(await buy(sale, buyer));
  const paymentId = paymentIdOf(orderId);
  asked.payments.set(paymentId, { paymentId, status: "open", amountCents: 4_500, currency: "EUR" });
  await flushDeskOf(orderId);
  const path = `/api/v1/orders/${orderId}`;
  return {
    sale,
    orderId,
    paymentId,
    // The desk itself: a buyer's token is too old after half an hour.
    readOrder: () => env.ORDER_DESK.getByName(deskName(deskNumberOf(orderId))).findOrder(sale.tenantId, orderId),
    cancel: async () => (await buyer.call("POST", `${path}/cancel`, { key: crypto.randomUUID(), body: {} })).status,
  };
}

/** The provider takes the buyer's money, and no event of it ever comes. */
function takeMoney(asked: AskedProvider, { paymentId }: Abandoned, amountCents = 4_500): void {
  asked.payments.set(paymentId, { paymentId, status: "succeeded", amountCents, currency: "EUR" });
}

/** The hold runs out, and D1 hears of it. */
async function outlive({ orderId }: Abandoned): Promise<void> {
  passTime(MINUTE_MS + 1_000);
  await runDeskOf(orderId);
  expect(await env.DB.prepare("SELECT status FROM orders WHERE id = ?").bind(orderId).first("status")).toBe("EXPIRED");
}

async function runPaymentJobs(asked: AskedProvider, lines: LogLine[] = []): Promise<void> {
  const context = createCronContext(env, Date.now());
  await runCron({ ...context, logger: makeLogger(lines), paymentProviders: { standard: asked.provider } }, PAYMENT_JOBS);
}

/** Asked about one payment, apart from what other tests left behind. */
function askedAbout(asked: AskedProvider, { paymentId }: Abandoned): string[] {
  return asked.asked.filter((question) => question.endsWith(` ${paymentId}`)).map((question) => question.split(" ")[0] ?? "");
}

function findCheck({ paymentId }: Abandoned): Promise<Record<string, unknown> | null> {
  return env.DB.prepare("SELECT status, checks, next_check_at_ms AS nextMs FROM payments WHERE payment_id = ?")
    .bind(paymentId)
    .first();
}

/** An event as the provider's list shows it. */
function eventOf({ orderId, paymentId }: Abandoned, changes: Partial<ActionablePaymentEvent> = {}): ActionablePaymentEvent {
  return {
    provider: "standard",
    eventId: `evt_${crypto.randomUUID()}`,
    type: "payment.succeeded",
    occurredAtMs: Date.now(),
    paymentId,
    orderId,
    amountCents: 4_500,
    currency: "EUR",
    rawType: "payment.succeeded",
    ...changes,
  };
}

describe("a payment whose events were lost for good", () => {
  it("is found by the cron, and its order is paid", async () => {
    const asked = makeAskedProvider();
    const order = await abandon(asked);
    takeMoney(asked, order);
    await outlive(order);
    expect(await order.readOrder()).toMatchObject({ status: "EXPIRED" });
    await runPaymentJobs(asked);
    expect(await order.readOrder()).toMatchObject({ status: "AWAITING_MINT", payment: { status: "SUCCEEDED" } });
    await runDeskOf(order.orderId);
    expect(await findCheck(order)).toMatchObject({ status: "SUCCEEDED", nextMs: null });
    passTime(10 * MINUTE_MS);
    await runPaymentJobs(asked);
    expect(askedAbout(asked, order)).toEqual(["find"]);
    expect(await order.sale.readStock()).toMatchObject({ soldCount: 1 });
  });

  it("would stay unpaid without the cron's jobs, however long the others run", async () => {
    const asked = makeAskedProvider();
    const order = await abandon(asked);
    takeMoney(asked, order);
    await outlive(order);
    const others = CRON_JOBS.filter((job) => !PAYMENT_JOBS.includes(job));
    for (let minute = 0; minute < 3; minute += 1) {
      passTime(MINUTE_MS);
      await runCron({ ...createCronContext(env, Date.now()), paymentProviders: { standard: asked.provider } }, others);
      await runDeskOf(order.orderId);
    }
    expect(await order.readOrder()).toMatchObject({ status: "EXPIRED" });
  });

  it("of another sum issues nothing, as if its event had come", async () => {
    const asked = makeAskedProvider();
    const order = await abandon(asked);
    takeMoney(asked, order, 1);
    await outlive(order);
    await runPaymentJobs(asked);
    expect(await order.readOrder()).toMatchObject({ status: "EXPIRED", payment: { status: "SUCCEEDED" } });
    expect(await order.sale.readStock()).toMatchObject({ soldCount: 0 });
  });

  it("that is settled while it is checked is not checked again", async () => {
    const asked = makeAskedProvider();
    const order = await abandon(asked);
    const { orderId, paymentId } = order;
    const { createdAtMs = 0 } = (await order.readOrder()) ?? {};
    const payment = { createdAtMs, orderId, provider: "standard", paymentId };
    await storeChecks(env.DB, [{ payment, checks: 1, nextCheckAtMs: Date.now() }]);
    expect(await findCheck(order)).toMatchObject({ checks: 0, nextMs: null });
  });

  it("is asked for only when its hold is over", async () => {
    const asked = makeAskedProvider();
    const order = await abandon(asked);
    await runPaymentJobs(asked);
    expect(askedAbout(asked, order)).toEqual([]);
    expect(await findCheck(order)).toMatchObject({ checks: 0, nextMs: null });
  });
});

describe("a payment that stays open", () => {
  it("is asked for with growing pauses, and ended half an hour after the hold", async () => {
    const asked = makeAskedProvider();
    const order = await abandon(asked);
    await outlive(order);
    for (let minute = 0; minute < 50; minute += 1) {
      await runPaymentJobs(asked);
      passTime(MINUTE_MS);
    }
    expect(askedAbout(asked, order)).toEqual(["find", "find", "find", "cancel"]);
    expect(asked.payments.get(order.paymentId)).toMatchObject({ status: "canceled" });
    expect(await order.readOrder()).toMatchObject({ status: "EXPIRED", payment: { status: "CANCELED" } });
    await runDeskOf(order.orderId);
    expect(await findCheck(order)).toMatchObject({ status: "CANCELED", nextMs: null });
  });

  it("of an order that its buyer cancelled is ended at once, and asked for no more", async () => {
    const asked = makeAskedProvider();
    const order = await abandon(asked);
    expect(await order.cancel()).toBe(200);
    await runDeskOf(order.orderId);
    await runPaymentJobs(asked);
    expect(asked.payments.get(order.paymentId)).toMatchObject({ status: "canceled" });
    expect(await findCheck(order)).toMatchObject({ nextMs: null });
  });

  it("that was paid in the moment of its end is settled as paid", async () => {
    const asked = makeAskedProvider();
    const order = await abandon(asked);
    await outlive(order);
    passTime(31 * MINUTE_MS);
    takeMoney(asked, order);
    await runPaymentJobs(asked);
    expect(askedAbout(asked, order)).toEqual(["cancel"]);
    expect(await order.readOrder()).toMatchObject({ status: "AWAITING_MINT" });
  });

  it("at a provider that is down stays as it is, and ten calls at once show it, however many payments are due", async () => {
    const asked = makeAskedProvider();
    const orders: Abandoned[] = [];
    for (let count = 0; count < 15; count += 1) orders.push(await abandon(asked));
    for (const order of orders) await outlive(order);
    asked.isDown = true;
    await runPaymentJobs(asked);
    expect(asked.asked.filter((question) => question !== "list")).toHaveLength(10);
    for (const order of orders) {
      expect(await order.readOrder()).toMatchObject({ status: "EXPIRED", payment: { status: "REQUIRES_ACTION" } });
      expect(await findCheck(order)).toMatchObject({ checks: 0, nextMs: expect.any(Number) });
    }
    asked.isDown = false;
    passTime(3 * MINUTE_MS);
    await runPaymentJobs(asked);
    for (const order of orders) expect(await findCheck(order)).toMatchObject({ checks: 1 });
  });

  it("is given up after some days with an alert, when the provider does not even know it", async () => {
    const asked = makeAskedProvider();
    const order = await abandon(asked);
    asked.payments.delete(order.paymentId);
    await outlive(order);
    const lines: LogLine[] = [];
    for (let check = 0; check < 25; check += 1) {
      await runPaymentJobs(asked, lines);
      passTime(361 * MINUTE_MS);
    }
    expect(askedAbout(asked, order)).toHaveLength(20);
    const alerts = lines.filter(({ fields }) => fields["alert"] === "payment_open" && fields["orderId"] === order.orderId);
    expect(alerts).toMatchObject([{ level: "error", fields: { outcome: "unknown" } }]);
  });
});

describe("events that the provider could not deliver", () => {
  it("are fetched and acted upon, and later deliveries of them are duplicates", async () => {
    const asked = makeAskedProvider();
    const order = await abandon(asked);
    asked.undelivered.push(eventOf(order));
    await runPaymentJobs(asked);
    expect(await order.readOrder()).toMatchObject({ status: "AWAITING_MINT" });
    await runDeskOf(order.orderId);
    const lines: LogLine[] = [];
    await runPaymentJobs(asked, lines);
    expect(lines.find(({ fields }) => fields["listedCount"] === 1)?.fields).toMatchObject({ takenCount: 0, failedCount: 0 });
    expect(await order.sale.readStock()).toMatchObject({ soldCount: 1 });
  });

  it("that belong to no order are kept as rejected, once, with one alert", async () => {
    const asked = makeAskedProvider();
    const order = await abandon(asked);
    const stray = eventOf(order, { orderId: crypto.randomUUID() });
    asked.undelivered.push(stray);
    const lines: LogLine[] = [];
    for (let run = 0; run < 3; run += 1) await runPaymentJobs(asked, lines);
    expect(lines.filter(({ fields }) => fields["alert"] === "payment_event_rejected")).toHaveLength(1);
    const row = env.DB.prepare("SELECT outcome, order_id FROM payment_events WHERE event_id = ?").bind(stray.eventId);
    expect(await row.first()).toEqual({ outcome: "rejected", order_id: null });
  });

  it("are not looked for further back than three days", async () => {
    const asked = makeAskedProvider();
    const order = await abandon(asked);
    asked.undelivered.push(eventOf(order, { occurredAtMs: Date.now() - 3 * 86_400_000 - 1_000 }));
    await runPaymentJobs(asked);
    expect(await order.readOrder()).toMatchObject({ status: "PENDING" });
  });

  it("that are too many for one run come in by the next ones, the last of them too", async () => {
    const asked = makeAskedProvider();
    const order = await abandon(asked);
    const startMs = Date.now() - 3_600_000;
    for (let at = 0; at < 620; at += 1) {
      const orderId = at === 619 ? order.orderId : crypto.randomUUID();
      asked.undelivered.push(eventOf(order, { orderId, occurredAtMs: startMs + at }));
    }
    for (let run = 0; run < 7; run += 1) await runPaymentJobs(asked);
    expect(await order.readOrder()).toMatchObject({ status: "AWAITING_MINT" });
    // Read to its end, the list begins anew: what comes late with an early time is found.
    expect(await env.DB.prepare("SELECT since_ms FROM undelivered_cursors").first()).toBeNull();
  });
});
