import type { AdmitCommand, GateTicketType, HandOverOutcome, RefuseCommand, ScanAnswer, ScanReason } from "./gate-messages.ts";

/** The gate closes this long after the event ends. */
export const GATE_CLOSES_AFTER_END_MS = 6 * 3_600_000;

/** What happened to a ticket at one list (a door, an area: whatever is counted by itself). */
export interface Admission {
  readonly entryCount: number;
  readonly inside: boolean;
  readonly firstAdmittedAtMs: number;
}

/** Which credentials of a ticket are dead: those below `minEpoch`, or all when it is null. */
export interface Revocation {
  readonly minEpoch: number | null;
  /** `revoked`: it changed hands. `canceled`: it was recalled for good. */
  readonly reason: "revoked" | "canceled";
}

/** All a gate knows of one ticket when a scan asks about one list. */
export interface TicketAtGate {
  /** At the list asked about; null when never let in there. */
  readonly admission: Admission | null;
  /** Highest epoch let in at any list; null when never let in anywhere. */
  readonly highestEpoch: number | null;
  readonly revocation: Revocation | null;
  /** Kept out for now, whatever its credential: its payment is disputed. */
  readonly isBlocked: boolean;
}

/** The event's times and the ticket's type, which is undefined when this gate never heard of its number. */
export interface GateView {
  readonly startsAtMs: number;
  readonly endsAtMs: number;
  readonly type: GateTicketType | undefined;
}

/** What becomes of a scan. */
export interface ScanDecision {
  readonly answer: ScanAnswer;
  /** The ticket's new state at the list; null when it stays as it is. */
  readonly next: Admission | null;
  /** What the scan adds to the list's counters. */
  readonly admittedChange: 0 | 1;
  readonly insideChange: -1 | 0 | 1;
  /** True when the ticket is let in for the first time at any list: it is used from now on. */
  readonly isFirstAdmission: boolean;
  /** True when only `force` let the holder in. */
  readonly overridden: boolean;
}

/**
 * When the gate stops letting people in. It has no opening time: organisers let crews, guests and early queues in when they
 * like, and a steward who scans is proof enough that the doors are open.
 */
export function gateClosesAtMs(event: { readonly endsAtMs: number }): number {
  return event.endsAtMs + GATE_CLOSES_AFTER_END_MS;
}

function answerTo(
  command: { readonly ticketId: string | null },
  type: GateTicketType | undefined,
  outcome: { readonly reason: ScanReason | null; readonly admission: Admission | null; readonly admittedAtMs: number | null },
  nowMs: number,
): ScanAnswer {
  const { reason, admission, admittedAtMs } = outcome;
  return {
    result: reason === null ? "admitted" : "refused",
    reason,
    ticket:
      type === undefined || command.ticketId === null
        ? null
        : { id: command.ticketId, ticketTypeId: type.ticketTypeId, ticketTypeName: type.name },
    admittedAtMs,
    firstAdmittedAtMs: admission?.firstAdmittedAtMs ?? null,
    entryCount: admission?.entryCount ?? 0,
    decidedAtMs: nowMs,
    replayed: false,
  };
}

/** The answer to the scan that let the ticket in for the first time at a list, told again from what is kept of it. */
export function repeatFirstAdmission(
  command: { readonly ticketId: string | null },
  type: GateTicketType | undefined,
  { firstAdmittedAtMs }: Admission,
): ScanAnswer {
  const admission = { entryCount: 1, inside: true, firstAdmittedAtMs };
  return answerTo(command, type, { reason: null, admission, admittedAtMs: firstAdmittedAtMs }, firstAdmittedAtMs);
}

const UNCHANGED = { next: null, admittedChange: 0, insideChange: 0, isFirstAdmission: false, overridden: false } as const;

/** Why this ticket may never come in with this credential, whoever insists; null when nothing stands against it. */
function findBar(ticket: TicketAtGate, view: GateView, credentialEpoch: number): ScanReason | null {
  if (view.type === undefined) return "product";
  const { revocation, highestEpoch } = ticket;
  if (revocation?.minEpoch === null) return revocation.reason;
  if (ticket.isBlocked) return "blocked";
  if (revocation !== null && credentialEpoch < revocation.minEpoch) return revocation.reason;
  // A newer credential of this ticket came in, so this one had changed hands before.
  if (highestEpoch !== null && credentialEpoch < highestEpoch) return "revoked";
  return null;
}

/** Why this ticket may not come in now, which a steward may overrule with `force`; null when it may. */
function findObstacle(ticket: TicketAtGate, view: GateView, nowMs: number): ScanReason | null {
  if (nowMs >= gateClosesAtMs(view)) return "invalid_time";
  return ticket.admission?.inside === true ? "already_redeemed" : null;
}

function decideExit(ticket: TicketAtGate, view: GateView, command: AdmitCommand, nowMs: number): ScanDecision {
  const { admission } = ticket;
  const reason = admission?.inside === true ? null : "rules";
  const answer = answerTo(command, view.type, { reason, admission, admittedAtMs: null }, nowMs);
  if (admission === null || reason !== null) return { ...UNCHANGED, answer };
  return { ...UNCHANGED, answer, next: { ...admission, inside: false }, insideChange: -1 };
}

/**
 * Decides a scan whose code is genuine, current and of this event.
 *
 * Coming in: a ticket is let in when its type is known here, no revocation and no newer credential stands against it, the
 * gate is open and the ticket is not inside. `force` overrules the last two, never the others. Who went out may come in again.
 * Going out: allowed to whoever is inside and nobody else (`rules`), whatever became of the ticket since, because a steward
 * must not hold people back and the count of those inside must stay right.
 * @param nowMs Unix milliseconds from the gate's own clock, never the device's.
 * Invariant: without `force`, entries and exits of a ticket at a list alternate, beginning with an entry.
 */
export function decideScan(ticket: TicketAtGate, view: GateView, command: AdmitCommand, nowMs: number): ScanDecision {
  if (command.type === "exit") return decideExit(ticket, view, command, nowMs);
  const { admission } = ticket;
  const bar = findBar(ticket, view, command.credentialEpoch);
  const obstacle = findObstacle(ticket, view, nowMs);
  const reason = bar ?? (command.force ? null : obstacle);
  if (reason !== null) {
    return { ...UNCHANGED, answer: answerTo(command, view.type, { reason, admission, admittedAtMs: null }, nowMs) };
  }
  const next: Admission = {
    entryCount: (admission?.entryCount ?? 0) + 1,
    inside: true,
    firstAdmittedAtMs: admission?.firstAdmittedAtMs ?? nowMs,
  };
  return {
    answer: answerTo(command, view.type, { reason: null, admission: next, admittedAtMs: nowMs }, nowMs),
    next,
    admittedChange: admission === null ? 1 : 0,
    insideChange: admission?.inside === true ? 0 : 1,
    isFirstAdmission: ticket.highestEpoch === null,
    overridden: obstacle !== null,
  };
}

/** The answer to a code that is faulty by itself: always a refusal, which changes nothing and no `force` overrules. */
export function decideFaultyScan(
  ticket: TicketAtGate,
  type: GateTicketType | undefined,
  command: RefuseCommand,
  nowMs: number,
): ScanDecision {
  const { admission } = ticket;
  return { ...UNCHANGED, answer: answerTo(command, type, { reason: command.fault, admission, admittedAtMs: null }, nowMs) };
}

/**
 * The revocation that stands after `asked` came on top of `current`. Revocations only grow: what is dead stays dead.
 * @returns null when `asked` kills nothing that `current` leaves alive, so that a repeat changes nothing and keeps its reason.
 */
export function strengthenRevocation(current: Revocation | null, asked: Revocation): Revocation | null {
  if (current === null) return asked;
  if (current.minEpoch === null) return null;
  return asked.minEpoch === null || asked.minEpoch > current.minEpoch ? asked : null;
}

/**
 * Decides whether a ticket may change hands, its credentials below `toEpoch` dying by it. A ticket that was ever let in stays
 * with whoever went in; one that was recalled for good is nobody's; one that is blocked stays where it is meanwhile.
 * @returns the revocation to keep, null when nothing changes. A hand-over that was done before is `done` again, also after
 * the new owner went in, and while the ticket is blocked: nobody would have it otherwise.
 */
export function decideHandOver(
  ticket: TicketAtGate,
  toEpoch: number,
): { readonly outcome: HandOverOutcome; readonly revocation: Revocation | null } {
  const { revocation, highestEpoch } = ticket;
  if (revocation !== null && revocation.minEpoch === null) return { outcome: "dead", revocation: null };
  if (revocation !== null && revocation.minEpoch !== null && revocation.minEpoch >= toEpoch) {
    return { outcome: "done", revocation: null };
  }
  if (highestEpoch !== null) return { outcome: "admitted", revocation: null };
  if (ticket.isBlocked) return { outcome: "blocked", revocation: null };
  return { outcome: "done", revocation: { minEpoch: toEpoch, reason: "revoked" } };
}
