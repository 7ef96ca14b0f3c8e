import { deskNumberOf } from "#domain/ids";
import type { OrderView, PaymentNews } from "#domain/order-messages";
import { succeed } from "#domain/result";
import type { PaymentProvider, RefundRequest } from "#payments/payment-provider";
import type { Sender } from "./network.ts";
import { goneCentsOf, type Payment } from "./payment-book.ts";
import { DOWN, makeRefundOnlyProvider } from "./refund-only-provider.ts";
import { CURRENCY, insist, pause, type Stage } from "./stage.ts";

/** Tries of whoever tells the desk of a payment that was made. */
const PATIENCE = 5;
/** How late a webhook may be, and how long the provider waits between two tries at most, ms. */
const WEBHOOK_LATE_MS = 20_000;
const LONGEST_RETRY_MS = 30_000;
/** Refunds that the provider cannot carry out, and those made there by hand that the buyer's bank sends back. */
const FAILED_REFUNDS = 0.03;
const SENT_BACK = 0.3;

/** The payment provider: takes money, tells of it by webhooks until it is heard, and gives it back. */
export class Payments {
  readonly #stage: Stage;
  /** Webhooks that were not answered yet. */
  undelivered = 0;

  constructor(stage: Stage) {
    this.#stage = stage;
  }

  /** Creates the order's payment and tells the desk, unless the Worker dies in between. */
  async create(order: OrderView): Promise<void> {
    const { world, worker, desks, payments } = this.#stage;
    const { paymentId } = payments.create(`pay-${order.id}`, order.id, order.totalCents, CURRENCY);
    if (world.random.chance(0.1)) return;
    const payment = { provider: "standard", paymentId, status: "REQUIRES_ACTION", action: { type: "none" } } as const;
    const desk = desks.get(deskNumberOf(order.id));
    await insist(this.#stage, PATIENCE, async () => {
      world.count("request");
      await desk?.call(worker, "attachPayment", [order.tenantId, order.id, payment]);
    });
  }

  /** The buyer pays in `delayMs`; a free order has nothing to pay. */
  async pay(order: OrderView, delayMs: number): Promise<void> {
    if (order.totalCents === 0) return;
    await pause(this.#stage, delayMs);
    this.#capture(this.#paymentOf(order, "pay", order.totalCents));
  }

  async payWrongAmount(order: OrderView): Promise<void> {
    await pause(this.#stage, this.#stage.world.random.between(0, 1_000));
    const amountCents = Math.max(1, order.totalCents + this.#stage.world.random.pick([-1, 1, 100]));
    this.#capture(this.#paymentOf(order, "wrong", amountCents));
  }

  async payTwice(order: OrderView): Promise<void> {
    await this.pay(order, 0);
    await pause(this.#stage, this.#stage.world.random.between(0, 1_000));
    this.#capture(this.#paymentOf(order, "second", order.totalCents));
  }

  async failThenPay(order: OrderView): Promise<void> {
    const { world, payments } = this.#stage;
    const payment = this.#paymentOf(order, "pay", order.totalCents);
    this.#tell(payments.newsOf(payment, world.random.pick(["payment.failed", "payment.canceled"]), world.loop.nowMs));
    await this.pay(order, world.random.between(0, 2_000));
  }

  /** Somebody gives a payment back at the provider, all of it that is left or a part. */
  giveBackOutside(order: OrderView): void {
    const { world, payments } = this.#stage;
    const payment = payments.payments.get(`pay-${order.id}`);
    const leftCents = payment?.captured && !payment.isDisputed ? payment.amountCents - goneCentsOf(payment) : 0;
    if (!payment || leftCents === 0) return;
    const amountCents = world.random.chance(0.5) ? leftCents : world.random.between(1, leftCents);
    world.saw(amountCents === leftCents ? "the rest given back outside" : "a part given back outside");
    const facts = { amountCents, refundId: `outside-${world.random.hex(8)}` };
    const isSentBack = world.random.chance(SENT_BACK) && !payment.wasDisputed;
    payment.refunds.set(facts.refundId, { amountCents, isTaken: !isSentBack });
    this.#tell(payments.newsOf(payment, "refund.succeeded", world.loop.nowMs, facts));
    if (!isSentBack) return;
    world.saw("a refund made outside and sent back");
    this.#tell(payments.newsOf(payment, "refund.failed", world.loop.nowMs + 1, facts));
  }

  /** The buyer disputes the payment at their bank, which thinks for so long. */
  async dispute(order: OrderView, forMs: number): Promise<void> {
    const { world, payments } = this.#stage;
    const payment = payments.payments.get(`pay-${order.id}`);
    // A bank that takes what a refund gave back in vain is more than the desk can book by itself: a person is called then.
    const hasFailed = [...(payment?.refunds.values() ?? [])].some(({ isTaken }) => !isTaken);
    if (!payment?.captured || payment.isDisputed || hasFailed) return;
    const facts = { disputeId: `dispute-${world.random.hex(8)}` };
    payment.isDisputed = true;
    payment.wasDisputed = true;
    this.#tell(payments.newsOf(payment, "dispute.opened", world.loop.nowMs, facts));
    await pause(this.#stage, forMs);
    payment.isDisputed = false;
    const isLost = world.random.chance(0.5);
    const amountCents = isLost ? this.#drawLoss(order, payment) : payment.amountCents;
    if (isLost) payment.lostCents += amountCents;
    world.saw(isLost ? "dispute lost" : "dispute won");
    this.#tell(payments.newsOf(payment, isLost ? "dispute.lost" : "dispute.won", world.loop.nowMs, { ...facts, amountCents }));
  }

  /** All that is left, or so little that the rest pays for a ticket. */
  #drawLoss({ lines }: OrderView, payment: Payment): number {
    const { world } = this.#stage;
    const leftCents = payment.amountCents - goneCentsOf(payment);
    const dearestCents = Math.max(...lines.map(({ totalCents, quantity }) => Math.ceil(totalCents / quantity)));
    if (leftCents <= dearestCents || world.random.chance(0.5)) return leftCents;
    world.saw("a part lost in a dispute");
    return world.random.between(1, leftCents - dearestCents);
  }

  /** The provider, as a desk reaches it. */
  openFor(life: Sender): PaymentProvider {
    const { network, outages } = this.#stage;
    return makeRefundOnlyProvider((request, key) =>
      network.call({ from: life, subject: `provider.refund ${key}`, mayComeTwice: true, hasTimeout: true }, (answer) => {
        if (outages.isDown("provider")) {
          answer(DOWN);
          return;
        }
        const isTaken = this.#takeRefund(request, key);
        answer(succeed({ refundId: `refund-${key}`, status: isTaken ? "submitted" : "failed" }));
      }),
    );
  }

  /** Takes a refund, or finds it by its key; one that there is no money for is not taken, and neither is a disputed payment's. */
  #takeRefund(request: RefundRequest, key: string): boolean {
    const { world, payments } = this.#stage;
    const asked = payments.refund(request, key);
    const known = payments.payments.get(request.paymentId)?.refunds.get(key);
    if (!asked?.isTaken) return asked === undefined && known?.isTaken === true;
    world.saw(`refund ${request.reason}`);
    const hasFailed = world.random.chance(FAILED_REFUNDS) && !asked.payment.wasDisputed;
    const facts = { amountCents: request.amountCents, refundId: world.random.pick([key, `refund-${key}`]) };
    if (hasFailed && known) known.isTaken = false;
    this.#tell(payments.newsOf(asked.payment, hasFailed ? "refund.failed" : "refund.succeeded", world.loop.nowMs, facts));
    return true;
  }

  #paymentOf(order: OrderView, prefix: string, amountCents: number): Payment {
    return this.#stage.payments.create(`${prefix}-${order.id}`, order.id, amountCents, CURRENCY);
  }

  #capture(payment: Payment): void {
    const { payments, world } = this.#stage;
    this.#tell(payments.capture(payment, world.loop.nowMs));
  }

  /** Sends an event, sometimes late and sometimes twice at once, until it is answered. */
  #tell(news: PaymentNews): void {
    const { random } = this.#stage.world;
    const copies = random.chance(0.15) ? 2 : 1;
    for (let copy = 0; copy < copies; copy += 1) {
      this.undelivered += 1;
      void this.#deliver(news, random.chance(0.2) ? random.between(0, WEBHOOK_LATE_MS) : random.between(0, 10));
    }
  }

  async #deliver(news: PaymentNews, delayMs: number): Promise<void> {
    const { world, worker, desks, promises } = this.#stage;
    const desk = desks.get(deskNumberOf(news.orderId));
    await pause(this.#stage, delayMs);
    const tryOnce = async (): Promise<true> => {
      world.count("webhook");
      const outcome = await desk?.call(worker, "settle", [news]);
      promises.settled(news, outcome ?? "unknown_order");
      return true;
    };
    while (!(await insist(this.#stage, 1, tryOnce))) await pause(this.#stage, world.random.between(0, LONGEST_RETRY_MS));
    this.undelivered -= 1;
  }
}
