import type { OrderRecord } from "#domain/order";
import { holdsOf } from "#domain/order-holds";
import type { RefundReason } from "#domain/order-money";
import type { OrderLine } from "#domain/order-messages";
import type { OrderStatus } from "#domain/statuses";
import type { PaymentBook } from "./payment-book.ts";
import type { SimulatedGate } from "./simulated-gate.ts";
import type { Report, StockModel } from "./stock-model.ts";

/** Where an order may go from where it is; written out here, so that the service's own ranks are not taken at their word. */
const NEXT: Readonly<Record<OrderStatus, readonly OrderStatus[]>> = {
  PENDING: ["PAYMENT_FAILED", "EXPIRED", "CANCELLED", "AWAITING_MINT"],
  PAYMENT_FAILED: ["EXPIRED", "CANCELLED", "AWAITING_MINT"],
  EXPIRED: ["AWAITING_MINT"],
  CANCELLED: [],
  PAID: ["AWAITING_MINT"],
  AWAITING_MINT: ["MINT_FAILED", "COMPLETED", "REFUNDED"],
  MINT_FAILED: ["COMPLETED", "REFUNDED"],
  COMPLETED: ["REFUNDED"],
  REFUNDED: [],
};

/** Why money of an order with tickets goes back. */
const AFTER_SALE: readonly RefundReason[] = ["requested", "provider", "dispute_lost"];
/** Of these, what goes back without being asked for. */
const PAST_US: readonly RefundReason[] = ["provider", "dispute_lost"];

/** Follows every order of every desk through all that is committed about it. */
export class OrderModel {
  readonly orders = new Map<string, OrderRecord>();
  /** Dead tickets whose seats are on sale again. */
  readonly restocked = new Set<string>();
  readonly #numbers = new Map<string, string>();
  readonly #issued = new Set<string>();
  readonly #stock: (stockName: string) => StockModel;
  readonly #payments: PaymentBook;
  readonly #gate: SimulatedGate;
  readonly #report: Report;

  constructor(stock: (stockName: string) => StockModel, payments: PaymentBook, gate: SimulatedGate, report: Report) {
    this.#stock = stock;
    this.#payments = payments;
    this.#gate = gate;
    this.#report = report;
  }

  /** True once the order's tickets were issued. */
  isIssued(orderId: string): boolean {
    return this.#issued.has(orderId);
  }

  /** Takes in an order as a desk committed it; `issued` with the commit that made its tickets. */
  apply(record: OrderRecord, issued: boolean, nowMs: number): void {
    const { view } = record;
    const wrong = (why: string): void => this.#report(`order ${view.id} version ${record.version}: ${why}`);
    const before = this.orders.get(view.id);
    if (before) this.#checkStep(before, record, wrong);
    else this.#checkNew(record, wrong);
    if (before && before.step.kind !== "none" && record.step.kind === "none") this.#checkSettled(record, nowMs, wrong);
    this.#checkMoney(record, wrong);
    this.#checkRefunds(record, wrong);
    this.#checkDead(before, record, wrong);
    if (issued) this.#checkIssue(record, wrong);
    if ((view.paidAtMs !== null) !== this.#issued.has(view.id)) wrong("paid without tickets, or tickets without being paid");
    this.orders.set(view.id, record);
  }

  #checkNew({ version, view }: OrderRecord, wrong: Report): void {
    if (version !== 1 || view.status !== "PENDING") wrong(`it begins as ${view.status}`);
    const other = this.#numbers.get(view.orderNumber);
    if (other !== undefined) wrong(`order ${other} has its number`);
    this.#numbers.set(view.orderNumber, view.id);
  }

  #checkStep(before: OrderRecord, { version, view }: OrderRecord, wrong: Report): void {
    if (version <= before.version) wrong(`it comes after version ${before.version}`);
    const from = before.view.status;
    if (view.status !== from && !NEXT[from].includes(view.status)) wrong(`from ${from} to ${view.status}`);
    if (identityOf(view) !== identityOf(before.view)) wrong("what was bought has changed");
  }

  /** An order that has come to its end without tickets has no stock any more. */
  #checkSettled(record: OrderRecord, nowMs: number, wrong: Report): void {
    if (record.view.paidAtMs !== null) return;
    for (const { stockName, reservationId } of holdsOf(record)) {
      const line = this.#stock(stockName).lines.get(reservationId);
      const isSold = line?.status === "COMPLETED" && line.restocked < line.quantity;
      const isHeld = line?.status === "ACTIVE" && nowMs < line.expiresAtMs;
      if (isSold) wrong(`it got no tickets, and its stock at ${stockName} stays sold`);
      if (isHeld && record.view.status === "CANCELLED") wrong(`it was cancelled, and its stock at ${stockName} stays held`);
    }
  }

  #checkMoney({ view, discounts = [] }: OrderRecord, wrong: Report): void {
    const sum = (pick: (line: OrderLine) => number): number => view.lines.reduce((total, line) => total + pick(line), 0);
    const isSum =
      view.subtotalCents === sum((line) => line.unitPriceCents * line.quantity) &&
      view.discountCents === sum((line) => line.discountCents) &&
      view.feeCents === sum((line) => line.feeCents) &&
      view.taxCents === sum((line) => line.taxCents) &&
      view.totalCents === sum((line) => line.totalCents) &&
      view.totalCents === view.subtotalCents - view.discountCents + view.feeCents;
    if (!isSum) wrong("its totals are not the sum of its lines");
    const off = discounts.flatMap(({ lines }) => lines).reduce((total, { amountCents }) => total + amountCents, 0);
    if (off !== view.discountCents) wrong("its discount is not the sum of its discounts");
  }

  #checkRefunds({ view, refunds, paidBy }: OrderRecord, wrong: Report): void {
    if (new Set(refunds.map(({ id }) => id)).size !== refunds.length) wrong("two of its refunds have one id");
    for (const { paymentId, reason } of refunds) {
      const payment = this.#payments.payments.get(paymentId);
      if (!payment?.captured) wrong(`it gives back payment ${paymentId}, which did not come`);
      // What was told of the others may be more for a while: one of them has failed, and its news is late.
      const own = refunds.filter((refund) => refund.paymentId === paymentId && !PAST_US.includes(refund.reason));
      const goneCents = own.reduce((total, { amountCents, status }) => total + (status === "failed" ? 0 : amountCents), 0);
      if (payment && goneCents > payment.amountCents) wrong(`it gives back more of payment ${paymentId} than came`);
      const isBought = paidBy?.paymentId === paymentId;
      if (isBought && view.refundedCents > paidBy.amountCents) wrong("more of it has gone back than came");
      if (isBought && !AFTER_SALE.includes(reason)) wrong("the payment that bought the tickets goes back");
      if (!isBought && reason === "requested") wrong("a payment that bought nothing goes back for tickets");
    }
  }

  /** Who dies is dead at the gate before; nobody comes back to life; nothing is left of an order that is REFUNDED. */
  #checkDead(before: OrderRecord | undefined, record: OrderRecord, wrong: Report): void {
    const { recalled = [], refunds, view, step } = record;
    const dead = new Set(recalled);
    if (dead.size !== recalled.length) wrong("a ticket died twice");
    if (before?.recalled?.some((ticketId) => !dead.has(ticketId))) wrong("a dead ticket lives");
    if (recalled.some((ticketId) => !this.#gate.dead.has(ticketId))) wrong("a ticket is dead, and the gate admits it");
    const seats = view.lines.reduce((sum, line) => sum + line.quantity, 0);
    if ((view.status === "REFUNDED") !== (dead.size === seats)) wrong(`${dead.size} of ${seats} tickets are dead`);
    const dying = step.kind === "revoke" ? step.recall.ticketIds : [];
    const paidBack = refunds.filter(({ reason }) => reason === "requested").flatMap(({ ticketIds }) => ticketIds);
    if (paidBack.some((ticketId) => !dead.has(ticketId) && !dying.includes(ticketId))) wrong("a ticket is paid back and lives");
    if (before?.step.kind !== "restock" || step.kind === "restock") return;
    for (const ticketId of before.step.recall.ticketIds) {
      if (this.restocked.has(ticketId)) wrong("a seat went back on sale twice");
      this.restocked.add(ticketId);
    }
  }

  #checkIssue(record: OrderRecord, wrong: Report): void {
    const { view, paidBy } = record;
    if (this.#issued.has(view.id)) wrong("its tickets are issued again");
    this.#issued.add(view.id);
    const payment = paidBy && this.#payments.payments.get(paidBy.paymentId);
    const isPaid = payment?.captured === true && payment.amountCents === view.totalCents && payment.currency === view.currency;
    if (view.totalCents === 0 ? paidBy !== null : !isPaid) wrong("tickets are issued, and the money is not what they cost");
    for (const { stockName, reservationId, quantity } of holdsOf(record)) {
      const line = this.#stock(stockName).lines.get(reservationId);
      const isSold = line?.status === "COMPLETED" && line.orderId === view.id && line.quantity - line.restocked === quantity;
      if (!isSold) wrong(`tickets are issued, and their stock at ${stockName} is not sold to it`);
    }
  }
}

function identityOf(view: OrderRecord["view"]): string {
  const { orderNumber, userId, tenantId, reservationId, holdExpiresAtMs, lines, createdAtMs } = view;
  return JSON.stringify([orderNumber, userId, tenantId, reservationId, holdExpiresAtMs, lines, createdAtMs]);
}
