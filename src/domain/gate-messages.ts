/** What a gate must know of its event to admit without asking anyone. */
export interface GateConfig {
  readonly tenantId: string;
  readonly eventId: string;
  readonly startsAtMs: number;
  readonly endsAtMs: number;
}

/** A ticket type as the gate shows it; `number` is what the credential carries. */
export interface GateTicketType {
  readonly number: number;
  readonly ticketTypeId: string;
  readonly name: string;
}

/** Why a scan was refused, in the field's words (docs/credential.md). */
export const SCAN_REASONS = [
  "invalid",
  "expired_code",
  "revoked",
  "canceled",
  "blocked",
  "unpaid",
  "product",
  "invalid_time",
  "rules",
  "already_redeemed",
  "wrong_event",
] as const;
export type ScanReason = (typeof SCAN_REASONS)[number];

/** A scan whose credential the Worker has verified already (signature, time window, event). */
export interface AdmitCommand {
  readonly tenantId: string;
  readonly ticketId: string;
  readonly ticketTypeNumber: number;
  readonly credentialEpoch: number;
  readonly listId: string | null;
  readonly type: "entry" | "exit";
  readonly nonce: string | null;
  readonly force: boolean;
  readonly scannedBy: string;
  readonly scannedAtMs: number;
}

/** What a gate answers to a scan. Times are Unix milliseconds. */
export interface ScanAnswer {
  readonly result: "admitted" | "refused";
  readonly reason: ScanReason | null;
  readonly ticket: { readonly id: string; readonly ticketTypeId: string; readonly ticketTypeName: string } | null;
  readonly admittedAtMs: number | null;
  readonly firstAdmittedAtMs: number | null;
  readonly entryCount: number;
  /** True when this nonce was answered before and this is that first answer. */
  readonly replayed: boolean;
}

/** Counts per list and type. `sold` is filled by the caller from D1; the gate knows who entered. */
export interface GateStats {
  readonly lists: readonly { readonly listId: string | null; readonly ticketTypeId: string; readonly admitted: number; readonly inside: number }[];
}

/** The methods of the Durable Object `EventGate`, one per event. Undefined answers mean: no such event in this tenant. */
export interface GatePort {
  configure(config: GateConfig): Promise<void>;
  putTicketType(tenantId: string, type: GateTicketType): Promise<void>;
  /** Records and answers a scan; of two scans of one ticket at the same instant exactly one is admitted. */
  admit(command: AdmitCommand): Promise<ScanAnswer | undefined>;
  /** What `admit` would answer, changing nothing. */
  preview(command: AdmitCommand): Promise<ScanAnswer | undefined>;
  /** Kills every credential of the ticket below `minEpoch` (all of them when null), before the caller is told. Repeats change nothing. */
  revoke(command: { tenantId: string; ticketId: string; minEpoch: number | null; reason: "revoked" | "canceled" | "blocked"; actor: string }): Promise<boolean>;
  stats(tenantId: string): Promise<GateStats | undefined>;
}
