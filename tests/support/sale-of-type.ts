/** One ticket type on sale: reading it as anyone, holding and selling its stock as a desk does. */
import { env } from "cloudflare:workers";
import { callService, makeEvent, makeOrganiser, makeType, type Answer, type Organiser } from "./organiser.ts";

/** Where the type is read and changed. */
export const pathOf = (ticketTypeId: string): string => `/api/v1/tickets/types/${ticketTypeId}`;

/** The type as anyone reads it over HTTP. */
export function readType(ticketTypeId: string): Promise<Answer> {
  return callService("GET", pathOf(ticketTypeId));
}

/** Holds tickets at the inventory itself, as a desk does. @returns the reservation's id, or the refusal's code. */
export async function hold({ tenantId }: Organiser, ticketTypeId: string, quantity: number): Promise<string> {
  const reservationId = crypto.randomUUID();
  const command = { tenantId, reservationId, userId: crypto.randomUUID(), quantity };
  const { outcomes } = await env.TICKET_TYPE_INVENTORY.getByName(ticketTypeId).reserve([command]);
  const [outcome] = outcomes;
  return outcome?.ok === true ? reservationId : (outcome?.failure.code ?? "no answer");
}

/** Sells tickets at the inventory itself, as a desk does. */
export async function sell(organiser: Organiser, ticketTypeId: string, quantity: number): Promise<void> {
  const reservationId = await hold(organiser, ticketTypeId, quantity);
  const { tenantId } = organiser;
  await env.TICKET_TYPE_INVENTORY.getByName(ticketTypeId).confirm([{ tenantId, reservationId, orderId: crypto.randomUUID() }]);
}

/** A ticket type on sale, with its event and organiser. */
export async function openSale(
  change: Readonly<Record<string, unknown>> = {},
): Promise<{ organiser: Organiser; eventId: string; typeId: string }> {
  const organiser = await makeOrganiser();
  const eventId = await makeEvent(organiser);
  return { organiser, eventId, typeId: await makeType(organiser, eventId, change) };
}
