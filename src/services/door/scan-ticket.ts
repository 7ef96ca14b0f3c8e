import type { Failure } from "#domain/failure";
import type { ScanAnswer } from "#domain/gate-messages";
import { refuse, succeed, type Result } from "#domain/result";
import type { SignedInContext } from "../context.ts";
import { findCodeFault, readCode, type CodeReading } from "./read-code.ts";
import { viewAnswer, type ScanView } from "./scan-view.ts";
import { signReceipt } from "./sign-receipt.ts";

/** A scan as a device sends it. */
export interface ScanInput {
  readonly qr: string;
  readonly eventId: string;
  readonly listId: string | null;
  readonly type: "entry" | "exit";
  readonly nonce: string | null;
  /** When the device says it scanned, Unix milliseconds; null means now. Recorded, never believed. */
  readonly scannedAtMs: number | null;
  readonly force: boolean;
}

function askGate(ctx: SignedInContext, input: ScanInput, reading: CodeReading): Promise<ScanAnswer | undefined> {
  const gate = ctx.gate(input.eventId);
  const question = {
    tenantId: ctx.principal.tenantId,
    listId: input.listId,
    type: input.type,
    nonce: input.nonce,
    scannedBy: ctx.principal.userId,
    scannedAtMs: input.scannedAtMs ?? ctx.nowMs,
  };
  const fault = findCodeFault(reading, input.eventId);
  if (fault === "invalid" || fault === "wrong_event" || reading.credential === null) {
    return gate.refuse({ ...question, fault: fault ?? "invalid", ticketId: null, ticketTypeNumber: null });
  }
  const { ticketId, ticketTypeNumber, credentialEpoch } = reading.credential;
  if (fault !== null) return gate.refuse({ ...question, fault, ticketId, ticketTypeNumber });
  return gate.admit({ ...question, ticketId, ticketTypeNumber, credentialEpoch, force: input.force });
}

/**
 * Answers a scan: the code is verified here, without a database, then one call to the event's gate decides and records.
 * Faulty codes go to the gate too: it knows whose event this is, an operator wants to see forgeries, and a device that never
 * heard the first answer must get it although its code has become stale in between.
 * @returns the answer, refusals included; `not_found` when the event is not of the caller's tenant.
 */
export async function scanTicket(ctx: SignedInContext, input: ScanInput): Promise<Result<ScanView, Failure>> {
  const keys = await ctx.credentialKeys();
  const reading = await readCode(keys, input.qr, ctx.nowMs);
  const answer = await askGate(ctx, input, reading);
  if (answer === undefined) return refuse({ code: "not_found", what: "event" });
  return succeed(viewAnswer(answer, await signReceipt(keys, answer, input)));
}
