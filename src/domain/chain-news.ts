import { HIGHEST_EPOCH } from "./transfer.ts";
import type { TicketStatus } from "./statuses.ts";

/** The last change of a leaf, beside what the service knows of its ticket. */
export interface LeafNews {
  readonly ownerAddress: string;
  readonly isBurnt: boolean;
  /** The service made the change itself. */
  readonly isOurs: boolean;
  /** Undefined while no ticket is known to be minted as this asset. */
  readonly ticket: TicketInNews | undefined;
}

/** What decides what a change of its asset does to a ticket. */
export interface TicketInNews {
  readonly status: TicketStatus;
  readonly credentialEpoch: number;
  readonly admittedAtMs: number | null;
  /** It is to be burnt, whatever its status says yet. */
  readonly isCancelled: boolean;
  /** Its organiser lets tickets of its type change hands. */
  readonly isTransferable: boolean;
  /** Where its asset belongs; null is the custody of the service's wallet. */
  readonly walletAddress: string | null;
  /** Who was found to have it instead; null when nobody was. */
  readonly heldByAddress: string | null;
  /** The old credential is dead because of that. */
  readonly isHoldDone: boolean;
  /** A move waits or is under way. */
  readonly isMoving: boolean;
  /** The last move was given up: as far as is known an earlier owner still has the asset. */
  readonly isAstray: boolean;
}

/**
 * What is to be done about a change. `wait`: it can't be judged yet. `stay`: nothing. `hold`: the asset is in a wallet that the service
 * does not know, and so is the ticket; or that was begun and must be taken to its end. `pass_on`: it went from one such wallet to
 * another. `release`: it is back where it belongs. `arrive`: it came where it belongs without the move that was given up.
 */
export type NewsDecision = "wait" | "stay" | "hold" | "pass_on" | "release" | "arrive";

/**
 * Decides what a leaf's change does to its ticket (docs/adr/0021). A change of the service's own never takes a ticket from its owner, even
 * when it has not brought the asset where it belongs by now; nor does any change while a move is open, which brings it there, or after it was
 * given up: an earlier owner who still has the asset could take the ticket back otherwise.
 * @param custodyAddress the service's own wallet.
 */
export function decideLeafNews({ ticket, ...leaf }: LeafNews, custodyAddress: string): NewsDecision {
  // Whatever became of the asset since: the gate may have killed the credential that the ticket still has.
  if (ticket !== undefined && ticket.heldByAddress !== null && !ticket.isHoldDone) return "hold";
  if (leaf.isBurnt) return "stay";
  if (ticket === undefined) return "wait";
  const isValid = (ticket.status === "SOLD" || ticket.status === "TRANSFERRED") && ticket.admittedAtMs === null;
  if (!isValid || ticket.isCancelled) return "stay";
  if (ticket.isMoving) return "wait";
  if (leaf.ownerAddress === (ticket.walletAddress ?? custodyAddress)) {
    if (ticket.heldByAddress !== null) return "release";
    return ticket.isAstray ? "arrive" : "stay";
  }
  return decideElsewhere(leaf, ticket);
}

/** Decides about an asset that is not where its ticket's owner would have it. */
function decideElsewhere(leaf: Omit<LeafNews, "ticket">, ticket: TicketInNews): NewsDecision {
  if (leaf.isOurs || ticket.isAstray || !ticket.isTransferable || leaf.ownerAddress === ticket.heldByAddress) return "stay";
  if (ticket.heldByAddress !== null) return "pass_on";
  return ticket.credentialEpoch < HIGHEST_EPOCH ? "hold" : "stay";
}
