import type { IssuedTicket } from "#domain/order-messages";
import type { MintStatus } from "#domain/statuses";

/** What a holder reads of their ticket's mint. */
export interface TicketMint {
  readonly status: MintStatus;
  readonly assetId: string | null;
  readonly signature: string | null;
  readonly leafIndex: number | null;
}

/** A ticket with its admission and its mint. */
export interface TicketView extends IssuedTicket {
  readonly admittedAtMs: number | null;
  /** The wallet that its asset was moved to outside the service; its owner can't show the ticket then. */
  readonly heldByAddress: string | null;
  readonly mint: TicketMint;
}

/** A ticket that its desk issued and D1 has not heard of yet. */
export function asUnminted(ticket: IssuedTicket): TicketView {
  const mint: TicketMint = { status: "QUEUED", assetId: null, signature: null, leafIndex: null };
  return { ...ticket, admittedAtMs: null, heldByAddress: null, mint };
}
