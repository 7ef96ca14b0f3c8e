import type { Principal } from "#domain/principal";
import type { TransferCause, TransferStatus } from "#domain/statuses";
import { fingerprintEmail, transferStatusAt, type Party } from "#domain/transfer";
import type { TransferRow } from "#storage/transfers";

/** An offer as its parties read it. Times are Unix milliseconds. */
export interface TransferView {
  readonly id: string;
  readonly ticketId: string;
  readonly eventId: string;
  readonly ticketTypeId: string;
  readonly fromUserId: string;
  readonly toUserId: string | null;
  /** Shown to who has just written it, and to who proves it to be theirs; nobody else can know it, the service included. */
  readonly toEmail: string | null;
  readonly status: TransferStatus;
  readonly cause: TransferCause | null;
  readonly expiresAtMs: number;
  readonly createdAtMs: number;
  readonly settledAtMs: number | null;
}

/** The caller as one that an offer may be made to. */
export function partyOf({ tenantId, userId, verifiedEmail }: Principal): Party {
  return { userId, emailFingerprint: verifiedEmail === undefined ? null : fingerprintEmail(tenantId, verifiedEmail) };
}

/** The offer as `viewer` reads it at `nowMs`. */
export function viewTransfer(row: TransferRow, viewer: Principal, nowMs: number): TransferView {
  const status = transferStatusAt(row, nowMs);
  const { emailFingerprint } = partyOf(viewer);
  const isTheirAddress = emailFingerprint !== null && emailFingerprint === row.emailFingerprint;
  return {
    id: row.id,
    ticketId: row.ticketId,
    eventId: row.eventId,
    ticketTypeId: row.ticketTypeId,
    fromUserId: row.fromUserId,
    toUserId: row.toUserId,
    toEmail: isTheirAddress ? (viewer.verifiedEmail ?? null) : null,
    status,
    cause: row.cause,
    expiresAtMs: row.expiresAtMs,
    createdAtMs: row.createdAtMs,
    settledAtMs: status === "EXPIRED" ? row.expiresAtMs : row.settledAtMs,
  };
}
