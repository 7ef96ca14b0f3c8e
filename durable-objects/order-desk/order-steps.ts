import { hashParts } from "#domain/ids";
import type { OrderRecord } from "#domain/order";
import { holdsOf, seatsOf } from "#domain/order-holds";
import type { Recall, Refund } from "#domain/order-money";
import { nextRefundOf } from "#domain/order-payments";
import { settleBlocked, settleRestocked, settleRevoked } from "#domain/recall";
import { settleRefund } from "#domain/refund";
import { settleConfirmed, settleGivenBack, settleReleased, settleSoldOut } from "#domain/settlement";
import { selectPaymentProvider, type PaymentProviders } from "#payments/payment-provider";
import type { Logger } from "#platform/logger";
import type { InventoryBatcher } from "./inventory-batcher.ts";
import type { DeskCalls } from "./limit-calls.ts";

/** What a step needs of the world outside its desk. */
export interface StepReach extends Pick<DeskCalls, "inventory" | "gate"> {
  readonly batcher: Pick<InventoryBatcher, "confirm">;
  readonly paymentProviders: PaymentProviders;
  readonly logger: Logger;
}

/** What a step learned, as a change of the order that is decided again on the stored record inside a commit. */
export type StepOutcome = (stored: OrderRecord, nowMs: number) => OrderRecord;

/**
 * Takes the order's next step outside the desk. Every call it makes may be repeated: each carries a derived id.
 * @returns what to store; undefined when nothing is left to do.
 * @throws when the world cannot be reached: the desk tries again later.
 */
export async function takeNextStep(reach: StepReach, record: OrderRecord): Promise<StepOutcome | undefined> {
  switch (record.step.kind) {
    case "confirm":
      return confirmLines(reach, record);
    case "give_back":
      return giveLinesBack(reach, record, record.step.lineNumbers);
    case "release":
      return releaseLines(reach, record);
    case "revoke":
      return killTickets(reach, record, record.step.recall);
    case "restock":
      return putSeatsBack(reach, record, record.step.recall);
    case "block":
    case "unblock":
      return blockTickets(reach, record, record.step.ticketIds, record.step.kind === "block");
    case "none": {
      const refund = nextRefundOf(record);
      return refund && requestRefund(reach, record, refund);
    }
  }
}

async function confirmLines(reach: StepReach, record: OrderRecord): Promise<StepOutcome> {
  const { tenantId, id: orderId } = record.view;
  const answers = await Promise.all(
    holdsOf(record).map(async ({ number, stockName, reservationId }) => ({
      number,
      confirmed: (await reach.batcher.confirm(stockName, { reservationId, tenantId, orderId })).ok,
    })),
  );
  if (answers.every((answer) => answer.confirmed)) {
    return settleConfirmed;
  }
  const confirmedLines = answers.filter((answer) => answer.confirmed).map((answer) => answer.number);
  return (stored, nowMs) => settleSoldOut(stored, confirmedLines, nowMs);
}

async function giveLinesBack(reach: StepReach, record: OrderRecord, lineNumbers: readonly number[]): Promise<StepOutcome> {
  const { tenantId, id: orderId } = record.view;
  const holds = holdsOf(record).filter(({ number }) => lineNumbers.includes(number));
  await Promise.all(
    holds.map(({ number, stockName, reservationId, quantity }) =>
      reach.inventory(stockName).restock({
        commandId: hashParts(["give_back", orderId, String(number)]),
        reservationId,
        tenantId,
        quantity,
        actor: "desk",
        cause: "other_line_sold_out",
      }),
    ),
  );
  return settleGivenBack;
}

async function releaseLines(reach: StepReach, record: OrderRecord): Promise<StepOutcome> {
  const { tenantId, userId } = record.view;
  await Promise.all(
    holdsOf(record).map(({ stockName, reservationId }) =>
      reach.inventory(stockName).release({ reservationId, tenantId, actor: userId, cause: "order_cancelled" }),
    ),
  );
  return settleReleased;
}

/** The tickets die at the gate. Only then is their money asked back and their seats sold again. */
async function killTickets(reach: StepReach, { view }: OrderRecord, recall: Recall): Promise<StepOutcome> {
  const { tenantId, eventId } = view;
  const { ticketIds, actor } = recall;
  const isHere = await reach.gate(eventId).recall({ tenantId, ticketIds, reason: "canceled", actor });
  if (!isHere) throw new Error("the gate of the order's event is not its tenant's");
  return settleRevoked;
}

/** Seats alone: a discount's use that was used up stays so. */
async function putSeatsBack(reach: StepReach, record: OrderRecord, recall: Recall): Promise<StepOutcome> {
  const { tenantId } = record.view;
  await Promise.all(
    seatsOf(record, recall.ticketIds).map(({ number, stockName, reservationId, quantity }) =>
      reach.inventory(stockName).restock({
        commandId: hashParts(["recall", recall.id, String(number)]),
        reservationId,
        tenantId,
        quantity,
        actor: recall.actor,
        cause: recall.cause,
      }),
    ),
  );
  return settleRestocked;
}

async function blockTickets(
  reach: StepReach,
  { view, version }: OrderRecord,
  ticketIds: readonly string[],
  isBlocked: boolean,
): Promise<StepOutcome> {
  const { tenantId, eventId } = view;
  const isHere = await reach.gate(eventId).block({ tenantId, ticketIds, isBlocked, version, actor: "desk" });
  if (!isHere) throw new Error("the gate of the order's event is not its tenant's");
  return settleBlocked;
}

async function requestRefund(reach: StepReach, record: OrderRecord, refund: Refund): Promise<StepOutcome> {
  const provider = selectPaymentProvider(reach.paymentProviders, refund.provider);
  if (!provider.ok) throw new Error(`no payment provider ${refund.provider} to refund with`);
  const { paymentId, amountCents, currency, reason } = refund;
  const answer = await provider.value.requestRefund(
    { paymentId, orderId: record.view.id, amountCents, currency, reason },
    refund.id,
  );
  if (!answer.ok) {
    const { reason: why, httpStatus } = answer.failure;
    throw new Error(`refund not taken by provider ${refund.provider}: ${why}, HTTP status ${httpStatus ?? "none"}`);
  }
  const { status, refundId } = answer.value;
  if (status === "failed") {
    reach.logger.error("a payment needs a person's eye", {
      alert: "refund_failed",
      orderId: record.view.id,
      refundId: refund.id,
      provider: refund.provider,
    });
  }
  return (stored) => settleRefund(stored, refund.id, status, refundId);
}
