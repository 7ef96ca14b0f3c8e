/** Tickets that change hands over HTTP: a sale with its steward, owners and those they offer to. */
import { z } from "zod";
import { signIn, type Caller, type CheckedAnswer } from "./contract-call.ts";
import { buy, idOf, openSale, type Sale } from "./open-sale.ts";

/** A free sale with a ticket in its owner's hands. */
export interface Handing {
  readonly sale: Sale;
  readonly owner: Caller;
  readonly friend: Caller;
  readonly steward: Caller;
  readonly admin: Caller;
  readonly orderId: string;
  readonly ticketId: string;
  /** Buys one more ticket. @returns its id. */
  readonly buyTicket: (buyer: Caller) => Promise<string>;
  /** Scans a code for entry. @returns `admitted`, or the reason of the refusal. */
  readonly scan: (qr: string) => Promise<string>;
}

const ticketList = z.object({ items: z.tuple([z.looseObject({ id: z.string() })]) });

async function buyTicket(sale: Sale, buyer: Caller): Promise<{ readonly orderId: string; readonly ticketId: string }> {
  const orderId = idOf(await buy(sale, buyer));
  const { body } = await buyer.call("GET", `/api/v1/orders/${orderId}/tickets`);
  return { orderId, ticketId: ticketList.parse(body).items[0].id };
}

/** Opens a sale of free tickets and sells one. */
export async function sellOne(type: Readonly<Record<string, unknown>> = {}): Promise<Handing> {
  const sale = await openSale({ priceCents: 0, ...type });
  const owner = await sale.makeBuyer();
  const steward = await signIn("door_staff", sale.tenantId);
  const sold = await buyTicket(sale, owner);
  return {
    sale,
    owner,
    friend: await sale.makeBuyer(),
    steward,
    admin: await signIn("admin", sale.tenantId),
    ...sold,
    buyTicket: async (buyer) => (await buyTicket(sale, buyer)).ticketId,
    async scan(qr) {
      const body = { qr, eventId: sale.eventId, type: "entry" };
      const answer = await steward.call("POST", "/api/v1/validation/scan", { body });
      return z.string().parse(answer.body["reason"] ?? answer.body["result"]);
    },
  };
}

/** Offers a ticket. */
export function offer(
  owner: Caller,
  ticketId: string,
  to: Readonly<Record<string, unknown>>,
  key: string = crypto.randomUUID(),
): Promise<CheckedAnswer> {
  return owner.call("POST", "/api/v1/transfer", { key, body: { ticketId, ...to } });
}

/** Accepts, declines or cancels. */
export function settle(caller: Caller, transferId: string, verb: "accept" | "decline" | "cancel"): Promise<CheckedAnswer> {
  return caller.call("POST", `/api/v1/transfer/${transferId}/${verb}`);
}

/** Offers the ticket to the recipient, who accepts. @returns the transfer's id. */
export async function passOn(owner: Caller, recipient: Caller, ticketId: string): Promise<string> {
  const transferId = idOf(await offer(owner, ticketId, { toUserId: recipient.userId }));
  const accepted = await settle(recipient, transferId, "accept");
  if (accepted.status !== 200) throw new Error(`not accepted: ${JSON.stringify(accepted.body)}`);
  return transferId;
}

/** The text of a fresh code. */
export async function showCode(holder: Caller, ticketId: string): Promise<string> {
  return z.string().parse((await holder.call("GET", `/api/v1/qr/${ticketId}/generate`)).body["qr"]);
}
