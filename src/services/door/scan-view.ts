import type { ScanAnswer, ScanReason } from "#domain/gate-messages";

/** A scan's answer as the steward reads it. Times are Unix milliseconds. */
export interface ScanView extends Omit<ScanAnswer, "decidedAtMs" | "replayed"> {
  /** One short sentence for the steward. */
  readonly message: string;
  /** The answer signed (compact JWS), so that a device can prove later what it was told; null where nothing happened. */
  readonly receipt: string | null;
}

const MESSAGES: Readonly<Record<ScanReason, string>> = {
  invalid: "This code is not one of ours.",
  expired_code: "This code is too old. Ask the holder to show the live code.",
  revoked: "This code is no longer valid: the ticket has changed hands.",
  canceled: "This ticket was cancelled.",
  blocked: "This ticket is blocked. Please call the organiser.",
  unpaid: "This ticket is not paid.",
  product: "This kind of ticket is not valid here.",
  invalid_time: "The gate is not open for this event now.",
  rules: "This ticket is not inside, so it cannot leave.",
  already_redeemed: "This ticket is already inside.",
  wrong_event: "This ticket is for another event.",
};

function describeAnswer(answer: ScanAnswer): string {
  if (answer.reason !== null) return MESSAGES[answer.reason];
  if (answer.admittedAtMs === null) return "Out. The ticket may come back in.";
  return answer.entryCount > 1 ? "Welcome back." : "Welcome.";
}

/** The gate's answer with its sentence and receipt. */
export function viewAnswer(answer: ScanAnswer, receipt: string | null): ScanView {
  const { result, reason, ticket, admittedAtMs, firstAdmittedAtMs, entryCount } = answer;
  return { result, reason, message: describeAnswer(answer), ticket, admittedAtMs, firstAdmittedAtMs, entryCount, receipt };
}
