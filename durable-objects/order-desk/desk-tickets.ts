import type { OrderRecord } from "#domain/order";
import type { IssuedTicket } from "#domain/order-messages";
import { keptTicketsOf, passOn } from "#domain/order-tickets";
import type { DeskStore } from "./desk-store.ts";

/** The tenant's ticket, as long as it is as the desk issued it. */
export function findKeptTicket(store: DeskStore, tenantId: string, ticketId: string): IssuedTicket | undefined {
  return store
    .listParentsOf(ticketId)
    .flatMap(keptTicketsOf)
    .find((ticket) => ticket.id === ticketId && ticket.tenantId === tenantId);
}

/** The tenant of an order or a ticket that the desk has. */
export function findTenantOf(store: DeskStore, id: string): string | undefined {
  const hasIt = (record: OrderRecord): boolean => keptTicketsOf(record).some((ticket) => ticket.id === id);
  return (store.findOrder(id) ?? store.listParentsOf(id).find(hasIt))?.view.tenantId;
}

/** The order whose ticket this is, before and after the ticket changed hands; undefined when this desk has no such order. */
export function passOnTicket(
  store: DeskStore,
  tenantId: string,
  ticketId: string,
): { readonly before: OrderRecord; readonly after: OrderRecord } | undefined {
  const orders = store.listParentsOf(ticketId).filter((record) => record.view.tenantId === tenantId);
  const changes = orders.map((before) => ({ before, after: passOn(before, ticketId) }));
  return changes.find(({ before, after }) => before !== after);
}
