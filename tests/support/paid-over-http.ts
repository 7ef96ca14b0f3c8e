/** Orders that were paid over HTTP, for tests of what becomes of them. */
import { z } from "zod";
import { signIn, type Caller, type CheckedAnswer } from "./contract-call.ts";
import { buy, idOf, openSale, type Sale } from "./open-sale.ts";
import { deliver } from "./payment-provider-at-test.ts";
import { listEvents } from "./want-events.ts";

/** A paid order and those around it. */
export interface PaidOrder {
  readonly sale: Sale;
  readonly buyer: Caller;
  readonly steward: Caller;
  readonly orderId: string;
  readonly totalCents: number;
  readonly ticketIds: readonly [string, ...string[]];
  readonly path: string;
  /** Asks for a refund as the sale's manager, with a reason unless the body has one. */
  refund(body?: Readonly<Record<string, unknown>>, options?: { key?: string; by?: Caller }): Promise<CheckedAnswer>;
  listRefunds(caller?: Caller): Promise<readonly Readonly<Record<string, unknown>>[]>;
  readOrder(): Promise<Readonly<Record<string, unknown>>>;
  /** The tickets' statuses by id, as the buyer reads them. */
  readStatuses(): Promise<Readonly<Record<string, string>>>;
  /** Scans a code for entry. @returns `admitted`, or the reason of the refusal. */
  scan(qr: string, force?: boolean): Promise<string>;
}

const ticketList = z.object({ items: z.array(z.looseObject({ id: z.string(), status: z.string() })) });
const refundList = z.object({ items: z.array(z.record(z.string(), z.unknown())) });
const someIds = z.tuple([z.string()], z.string());

/** Sells so many tickets in one order and has it paid. `basket` is what the purchase says beside its tickets. */
export async function sellPaid(
  quantity = 1,
  type: Readonly<Record<string, unknown>> = {},
  basket: Readonly<Record<string, unknown>> = {},
  onSale: (sale: Sale) => Promise<unknown> = () => Promise.resolve(),
): Promise<PaidOrder> {
  const sale = await openSale(type);
  await onSale(sale);
  return payOrder(sale, quantity, basket);
}

/** Has a new buyer of the sale buy and pay so many tickets. */
export async function payOrder(sale: Sale, quantity = 1, basket: Readonly<Record<string, unknown>> = {}): Promise<PaidOrder> {
  const buyer = await sale.makeBuyer();
  const placed = await buyer.call("POST", "/api/v1/purchase", {
    key: crypto.randomUUID(),
    body: { ...sale.basket(quantity), ...basket },
  });
  const orderId = idOf(placed);
  const totalCents = z.int().parse(placed.body["totalCents"]);
  if (totalCents > 0) await deliver({ orderId, amountCents: totalCents });
  const path = `/api/v1/orders/${orderId}`;
  const readTickets = async () => ticketList.parse((await buyer.call("GET", `${path}/tickets`)).body).items;
  const steward = await signIn("door_staff", sale.tenantId);
  return {
    sale,
    buyer,
    steward,
    orderId,
    totalCents,
    ticketIds: someIds.parse((await readTickets()).map(({ id }) => id)),
    path,
    refund: (body = {}, { key = crypto.randomUUID(), by = sale.manager } = {}) =>
      by.call("POST", `${path}/refund`, { key, body: { reason: "The band is ill", ...body } }),
    listRefunds: async (caller = sale.manager) => refundList.parse((await caller.call("GET", `${path}/refunds`)).body).items,
    readOrder: async () => (await buyer.call("GET", path)).body,
    readStatuses: async () => Object.fromEntries((await readTickets()).map(({ id, status }) => [id, status])),
    async scan(qr, force = false) {
      const body = { qr, eventId: sale.eventId, type: "entry", force };
      const answer = await steward.call("POST", "/api/v1/validation/scan", { body });
      return z.string().parse(answer.body["reason"] ?? answer.body["result"]);
    },
  };
}

/** Places an order of the sale that nobody pays. @returns its id. */
export async function placeUnpaid(sale: Sale): Promise<string> {
  return idOf(await buy(sale, await sale.makeBuyer()));
}

/** What D1 tells others of the cancelled tickets of a sale whose tenant wants events. */
export function listOutgoing({ sale }: Pick<PaidOrder, "sale">): Promise<Readonly<Record<string, unknown>>[]> {
  return listEvents(sale.tenantId, "ticket.canceled");
}
