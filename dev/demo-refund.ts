import { randomUUID } from "node:crypto";
import { z } from "zod";
import type { Buyer, Scene } from "./demo-scene.ts";
import { createHttpClient } from "./http-client.ts";
import { waitFor } from "./wait-for.ts";

/** A ticket that its organiser pays back, the only one of its order. */
export interface UnwantedTicket {
  readonly holder: Buyer;
  readonly orderId: string;
  readonly typeId: string;
  readonly ticketId: string;
  readonly priceCents: number;
}

const codeSchema = z.object({ qr: z.string() });
const refundsSchema = z.object({
  items: z.array(z.object({ id: z.string(), status: z.string(), amountCents: z.number(), ticketIds: z.array(z.string()) })),
});
const providerRefundsSchema = z.object({ items: z.array(z.object({ orderId: z.string(), amountCents: z.number() })) });

/** The journey's end: a ticket is paid back. Its code is dead before the organiser is told, and its seat is sold to others again. */
export async function payTicketBack(scene: Scene, ticket: UnwantedTicket): Promise<void> {
  const { call, narrator, stage, eventId } = scene;
  const { holder, orderId, ticketId, priceCents } = ticket;
  const manager = await stage.signIn("venue_manager");
  const steward = await stage.signIn("door_staff");
  const show = () => call("GET", `/api/v1/qr/${ticketId}/generate`, { token: holder.token });
  const { qr } = codeSchema.parse((await show()).body);
  const idempotencyKey = randomUUID();
  const body = { ticketIds: [ticketId], reason: "The holder is ill" };
  const askAsManager = () => call("POST", `/api/v1/orders/${orderId}/refund`, { token: manager, idempotencyKey, body });
  const refunded = await askAsManager();
  narrator.claim(
    `order ${orderId} has its money on the way back`,
    refunded.status === 200 && refunded.body["refundedCents"] === priceCents && refunded.body["status"] === "REFUNDED",
    refunded.body,
  );
  const scanned = await call("POST", "/api/v1/validation/scan", { token: steward, body: { qr, eventId, type: "entry" } });
  narrator.claim("the code that its holder still shows is refused", scanned.body["reason"] === "canceled", scanned.body);
  const shown = await show();
  narrator.claim("and no new one is made", shown.status === 409 && shown.body["code"] === "ticket_not_valid", shown.body);
  const again = await askAsManager();
  narrator.claim(
    "a repeated request gets the same answer and pays nothing more",
    again.status === 200 && again.headers.get("idempotency-replayed") === "true",
    again.body,
  );
  await checkMoney(scene, ticket, manager);
  const stock = await waitFor("the seat to be on sale again", async () => {
    const type = await call("GET", `/api/v1/tickets/types/${ticket.typeId}`);
    return type.body["availableCount"] === 1 ? type.body : undefined;
  });
  narrator.claim("its seat is on sale again", stock["availability"] === "available", stock);
}

/** What the provider booked, and what it told the service of it. */
async function checkMoney(scene: Scene, { orderId, ticketId, priceCents }: UnwantedTicket, manager: string): Promise<void> {
  const { call, narrator, stage } = scene;
  const provider = createHttpClient(stage.providerUrl);
  const settled = await waitFor(`the refund of order ${orderId}`, async () => {
    const { items } = refundsSchema.parse((await call("GET", `/api/v1/orders/${orderId}/refunds`, { token: manager })).body);
    return items.length > 0 && items.every((refund) => refund.status === "succeeded") ? items : undefined;
  });
  const { items } = providerRefundsSchema.parse((await provider("GET", "/refunds")).body);
  const booked = items.filter((refund) => refund.orderId === orderId);
  narrator.claim(
    `refund ${settled[0]?.id} of the ticket is ${settled[0]?.status}, and the provider booked it once`,
    settled[0]?.ticketIds.join() === ticketId && booked.length === 1 && booked[0]?.amountCents === priceCents,
    [settled, booked],
  );
}
