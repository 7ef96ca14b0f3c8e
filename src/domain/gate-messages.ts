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

/** Who asks at which list, and how a repeat of the question is recognised. */
interface ScanQuestion {
  readonly tenantId: string;
  readonly listId: string | null;
  readonly type: "entry" | "exit";
  /** Chosen by the device, a random UUID at best: the same one again for the same ticket gives the first answer. */
  readonly nonce: string | null;
  readonly scannedBy: string;
  /** When the device says it scanned. Recorded, never believed. */
  readonly scannedAtMs: number;
}

/** A scan whose credential the Worker has verified already (signature, time window, event). */
export interface AdmitCommand extends ScanQuestion {
  readonly ticketId: string;
  readonly ticketTypeNumber: number;
  readonly credentialEpoch: number;
  readonly force: boolean;
}

/** What is wrong with a code itself, whatever the gate knows of the ticket. */
export type CodeFault = "invalid" | "wrong_event" | "expired_code";

/** A scan whose credential the Worker found faulty. It is recorded, and can never admit. */
export interface RefuseCommand extends ScanQuestion {
  readonly fault: CodeFault;
  /** Both null unless the code is genuine and of this event, so that a record never names a ticket that only a forger claims. */
  readonly ticketId: string | null;
  readonly ticketTypeNumber: number | null;
}

/** What a gate answers to a scan. Times are Unix milliseconds. */
export interface ScanAnswer {
  readonly result: "admitted" | "refused";
  readonly reason: ScanReason | null;
  readonly ticket: { readonly id: string; readonly ticketTypeId: string; readonly ticketTypeName: string } | null;
  /** When this scan let its holder in; null for a refusal and for a way out. */
  readonly admittedAtMs: number | null;
  /** When the ticket was first let in at this list, if ever. */
  readonly firstAdmittedAtMs: number | null;
  /** How often the ticket was let in at this list, this scan included. */
  readonly entryCount: number;
  /** When the gate decided, by its own clock. */
  readonly decidedAtMs: number;
  /** True when this nonce was answered before and this is that first answer. */
  readonly replayed: boolean;
}

/** Counts per list and type. `sold` is filled by the caller from D1; the gate knows who entered. */
export interface GateStats {
  readonly lists: readonly {
    readonly listId: string | null;
    readonly ticketTypeId: string;
    readonly admitted: number;
    readonly inside: number;
  }[];
}

/** Kills every credential of these tickets for good, those of later owners too. */
export interface RecallTicketsCommand {
  readonly tenantId: string;
  readonly ticketIds: readonly string[];
  readonly reason: "canceled";
  readonly actor: string;
}

/** Keeps these tickets out until they are unblocked, or unblocks them. What is dead stays dead. */
export interface BlockTicketsCommand {
  readonly tenantId: string;
  readonly ticketIds: readonly string[];
  readonly isBlocked: boolean;
  /** Grows from one command about a ticket to the next: an older one that comes late changes nothing. */
  readonly version: number;
  readonly actor: string;
}

/** The wish to kill the credentials below `toEpoch` because the ticket changes hands. */
export interface HandOverCommand {
  readonly tenantId: string;
  readonly ticketId: string;
  readonly toEpoch: number;
  readonly actor: string;
}

/**
 * `done`: only `toEpoch` and above come in now. `admitted`: the ticket was let in before. `dead`: it was recalled for good.
 * `blocked`: it may come in again some day, and changes hands only then.
 */
export type HandOverOutcome = "done" | "admitted" | "dead" | "blocked";

/** The methods of the Durable Object `EventGate`, one per event. Undefined answers mean: no such event in this tenant. */
export interface GatePort {
  /**
   * Creates the gate or changes its event's times. Repeats change nothing.
   * @throws for another tenant's or event's gate, which is never taken over.
   */
  configure(config: GateConfig): Promise<void>;
  /** Makes a ticket type known, or renames it. @throws unless the gate was configured for this tenant before. */
  putTicketType(tenantId: string, type: GateTicketType): Promise<void>;
  /**
   * Records and answers a scan; of two scans of one ticket at the same instant exactly one is admitted.
   * Call again after a failure only with the same nonce: without one, the second answer may be `already_redeemed`.
   */
  admit(command: AdmitCommand): Promise<ScanAnswer | undefined>;
  /** Records and answers a scan of a faulty code. A nonce that was answered before still gets that first answer. */
  refuse(command: RefuseCommand): Promise<ScanAnswer | undefined>;
  /** What `admit` or `refuse` would answer, changing nothing. */
  preview(command: AdmitCommand | RefuseCommand): Promise<ScanAnswer | undefined>;
  /**
   * Kills the old owner's credentials durably, unless the ticket was let in at any list before: of a scan and a hand-over of one
   * ticket exactly one wins, and this object says which. Repeats get `done` again.
   */
  handOver(command: HandOverCommand): Promise<HandOverOutcome | undefined>;
  /** What `handOver` would answer, changing nothing. */
  previewHandOver(command: HandOverCommand): Promise<HandOverOutcome | undefined>;
  /**
   * Kills all credentials of all these tickets durably, in one commit, before the caller is told. Repeats change nothing.
   * @returns false when this gate is not of that tenant: nothing was killed.
   */
  recall(command: RecallTicketsCommand): Promise<boolean>;
  /**
   * Refuses these tickets as `blocked` whatever their epoch, or admits them again as before; repeats, and commands that are older
   * than one about the same ticket, change nothing. Who is inside may leave.
   * @returns false when this gate is not of that tenant: nothing was changed.
   */
  block(command: BlockTicketsCommand): Promise<boolean>;
  stats(tenantId: string): Promise<GateStats | undefined>;
}
