/** A buyer with one of everything, for tests that try to get at it. */
import { z } from "zod";
import type { Caller } from "./contract-call.ts";
import { buy, hold, idOf, openSale, type Sale } from "./open-sale.ts";
import { offer } from "./pass-on.ts";
import { deliver } from "./payment-provider-at-test.ts";

/** What a buyer has. */
export interface Belongings {
  readonly sale: Sale;
  readonly owner: Caller;
  readonly paidOrderId: string;
  readonly openOrderId: string;
  readonly ticketId: string;
  readonly reservationId: string;
  /** An offer of the ticket; without one where D1 does not have the ticket yet. */
  readonly transferId: string;
  readonly discountId: string;
  readonly qr: string;
}

/** A list as every route answers it. */
export const itemsShape = z.object({ items: z.array(z.looseObject({ id: z.string() })), nextCursor: z.string().nullable() });

/** A buyer at a sale of their own, with a paid and an open order, a hold and a code. */
export async function makeBelongings(): Promise<Belongings> {
  const sale = await openSale();
  const owner = await sale.makeBuyer();
  const paidOrderId = idOf(await buy(sale, owner));
  await deliver({ orderId: paidOrderId, amountCents: 4_500 });
  const { items } = itemsShape.parse((await owner.call("GET", `/api/v1/orders/${paidOrderId}/tickets`)).body);
  const ticketId = items[0]?.id ?? "";
  const openOrderId = idOf(await buy(sale, owner));
  const reservationId = idOf(await hold(sale, owner));
  const { body } = await owner.call("GET", `/api/v1/qr/${ticketId}/generate`);
  const qr = z.string().parse(body["qr"]);
  const code = { code: "TEN", type: "percentage", percentBps: 1_000, maxUses: 5 };
  const discountId = idOf(await sale.manager.call("POST", "/api/v1/discounts", { body: code }));
  const ids = { paidOrderId, openOrderId, ticketId, reservationId, discountId, transferId: crypto.randomUUID() };
  return { sale, owner, ...ids, qr };
}

/** Offers the ticket to an address that nobody here proves. */
export async function offerTicket(has: Belongings): Promise<Belongings> {
  return { ...has, transferId: idOf(await offer(has.owner, has.ticketId, { toEmail: "nobody@example.org" })) };
}
