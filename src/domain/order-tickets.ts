import { deriveIdWithin } from "./ids.ts";
import type { OrderRecord } from "./order.ts";
import type { IssuedTicket } from "./order-messages.ts";

/**
 * The tickets that a paid order issued, one per seat, as they were then; none before it is paid. Their ids derive from the
 * order's, so they are issued once.
 */
export function issuedTicketsOf(record: OrderRecord): readonly IssuedTicket[] {
  return listTickets(record, new Set());
}

function listTickets({ view }: OrderRecord, dead: ReadonlySet<string>): readonly IssuedTicket[] {
  const { paidAtMs } = view;
  if (paidAtMs === null) return [];
  return view.lines.flatMap((line) =>
    Array.from({ length: line.quantity }, (_, position) => {
      const id = ticketIdOf(view.id, line.lineNumber, position);
      return {
        id,
        tenantId: view.tenantId,
        eventId: view.eventId,
        ticketTypeId: line.ticketTypeId,
        orderId: view.id,
        ownerUserId: view.userId,
        status: dead.has(id) ? "CANCELLED" : "SOLD",
        credentialEpoch: 0,
        walletAddress: view.walletAddress,
        createdAtMs: paidAtMs,
      };
    }),
  );
}

/** The id of a line's ticket; `position` counts from 0. */
export function ticketIdOf(orderId: string, lineNumber: number, position: number): string {
  return deriveIdWithin(orderId, ["ticket", String(lineNumber), String(position)]);
}

/** The tickets of a paid order; those that died since are CANCELLED. */
export function ticketsOf(record: OrderRecord): readonly IssuedTicket[] {
  return listTickets(record, new Set(record.recalled));
}

/** The ids of the tickets that are alive. */
export function livingTicketIdsOf(record: OrderRecord): readonly string[] {
  const dead = new Set(record.recalled);
  return issuedTicketsOf(record).flatMap(({ id }) => (dead.has(id) ? [] : [id]));
}

/** The tickets that are still as this order's desk knows them: not those that have changed hands since. */
export function keptTicketsOf(record: OrderRecord): readonly IssuedTicket[] {
  const { passedOn = [] } = record;
  return ticketsOf(record).filter((ticket) => !passedOn.includes(ticket.id));
}

/** The first of these orders' tickets that are as their desk knows them, at most `limit`. Orders behind them are not read: each ticket is a hash. */
export function firstKeptTicketsOf(records: Iterable<OrderRecord>, limit: number): readonly IssuedTicket[] {
  const tickets: IssuedTicket[] = [];
  for (const record of records) {
    tickets.push(...keptTicketsOf(record));
    if (tickets.length >= limit) break;
  }
  return tickets.slice(0, limit);
}

/** Notes that a ticket changes hands. The world knows it from D1, so the version stays; an order without that ticket too. */
export function passOn(record: OrderRecord, ticketId: string): OrderRecord {
  const isKept = keptTicketsOf(record).some((ticket) => ticket.id === ticketId);
  return isKept ? { ...record, passedOn: [...(record.passedOn ?? []), ticketId] } : record;
}
