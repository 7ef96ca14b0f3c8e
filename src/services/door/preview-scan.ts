import type { Failure } from "#domain/failure";
import type { ScanAnswer } from "#domain/gate-messages";
import { refuse, succeed, type Result } from "#domain/result";
import type { SignedInContext } from "../context.ts";
import { readCode } from "./read-code.ts";
import { viewAnswer, type ScanView } from "./scan-view.ts";

/** A code to look at, and the list it would be scanned at. */
export interface PreviewInput {
  readonly qr: string;
  readonly listId: string | null;
}

function refuseUnread(nowMs: number): ScanAnswer {
  return {
    result: "refused",
    reason: "invalid",
    ticket: null,
    admittedAtMs: null,
    firstAdmittedAtMs: null,
    entryCount: 0,
    decidedAtMs: nowMs,
    replayed: false,
  };
}

/**
 * What scanning this code for entry at its own event would answer now. Nothing is recorded and nobody is let in, so there is
 * no receipt.
 * @returns the answer; `not_found` when the code is for an event of another tenant.
 */
export async function previewScan(ctx: SignedInContext, input: PreviewInput): Promise<Result<ScanView, Failure>> {
  const reading = await readCode(await ctx.credentialKeys(), input.qr, ctx.nowMs);
  if (reading.credential === null) return succeed(viewAnswer(refuseUnread(ctx.nowMs), null));
  const { eventId, ticketId, ticketTypeNumber, credentialEpoch } = reading.credential;
  const question = {
    tenantId: ctx.principal.tenantId,
    listId: input.listId,
    type: "entry" as const,
    nonce: null,
    scannedBy: ctx.principal.userId,
    scannedAtMs: ctx.nowMs,
    ticketId,
    ticketTypeNumber,
  };
  const answer = await ctx
    .gate(eventId)
    .preview(reading.fault === null ? { ...question, credentialEpoch, force: false } : { ...question, fault: reading.fault });
  return answer === undefined ? refuse({ code: "not_found", what: "event" }) : succeed(viewAnswer(answer, null));
}
