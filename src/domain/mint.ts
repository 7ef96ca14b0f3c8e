import type { MintMessage } from "./order-messages.ts";
import type { MintStatus } from "./statuses.ts";

/** What a job remembers that matters for its next step. */
export interface MintJobState {
  readonly status: MintStatus;
  /** Signature of the transaction signed last; it is stored before that transaction is first sent. */
  readonly signature: string | null;
  /** The chain takes the transaction in a block of at most this height. */
  readonly lastValidBlockHeight: number | null;
  /** Transactions signed so far. */
  readonly attempts: number;
  /** The ticket is cancelled: no more is signed for it. */
  readonly isCancelled: boolean;
}

/**
 * What the chain says of a signature.
 *
 * | seen | meaning |
 * |---|---|
 * | `succeeded`, `failed` | in a *finalized* block: this can't change any more |
 * | `in_flight` | in a block that may still be dropped |
 * | `unknown` | in no block the asked node knows, which has seen at least `finalizedBlockHeight` |
 * | `unclear` | the asked node is behind, so its not knowing means nothing |
 */
export interface ChainObservation {
  readonly seen: "succeeded" | "failed" | "in_flight" | "unknown" | "unclear";
  readonly finalizedBlockHeight: number;
  /** Why the transaction failed on chain. */
  readonly error: string | null;
}

/** The next step of a mint. */
export type MintStep =
  /** Nothing is left to do for a message of this job. */
  | { readonly kind: "stop" }
  /** Ask the chain about the stored signature, then decide again. */
  | { readonly kind: "observe" }
  /** Sign a new transaction, store it, send it. `error` says what became of the one before. */
  | { readonly kind: "sign"; readonly error: string | null }
  /** Send the stored bytes once more: the same bytes land at most once. */
  | { readonly kind: "resend" }
  | { readonly kind: "wait" }
  /** The transaction is final: read the leaf and store it. */
  | { readonly kind: "finish" }
  | { readonly kind: "fail"; readonly error: string }
  /** Nothing of the ticket is on chain or can come there: the job ends without a mint. */
  | { readonly kind: "cancel" };

/** A job is given up after this many signed transactions, each of which had its whole life of 150 blocks. */
export const MAX_SIGNED_TRANSACTIONS = 8;

/**
 * Decides the next step of a mint (docs/adr/0006).
 * @param observation what the chain said of `job.signature`; null when it has not been asked.
 * Invariant: `sign` is answered only when no transaction signed before can be, or ever come, in a block: there is none, or it
 * failed in a finalized block, or it is unknown while the finalized height is past its last valid one. The same holds for
 * `cancel`.
 */
export function decideMintStep(job: MintJobState, observation: ChainObservation | null): MintStep {
  if (job.status === "MINTED" || job.status === "FAILED") return { kind: "stop" };
  if (job.signature === null || job.lastValidBlockHeight === null) {
    return job.isCancelled ? { kind: "cancel" } : { kind: "sign", error: null };
  }
  if (observation === null) return { kind: "observe" };
  switch (observation.seen) {
    case "succeeded":
      return { kind: "finish" };
    case "failed":
      return signAgain(job, `failed on chain: ${observation.error ?? "no reason given"}`);
    case "in_flight":
    case "unclear":
      return { kind: "wait" };
    case "unknown":
      // At its last valid height the transaction may still be taken: only a greater finalized height rules it out.
      if (observation.finalizedBlockHeight <= job.lastValidBlockHeight) return { kind: "resend" };
      return signAgain(job, "expired without landing");
  }
}

function signAgain(job: MintJobState, error: string): MintStep {
  if (job.isCancelled) return { kind: "cancel" };
  return job.attempts < MAX_SIGNED_TRANSACTIONS ? { kind: "sign", error } : { kind: "fail", error };
}

/** Reads a message's body. @returns undefined when it is no mint message. */
export function parseMintMessage(body: unknown): MintMessage | undefined {
  if (typeof body !== "object" || body === null || !("ticketId" in body) || !("tenantId" in body)) return undefined;
  const { ticketId, tenantId } = body;
  return typeof ticketId === "string" && typeof tenantId === "string" ? { ticketId, tenantId } : undefined;
}

const FIRST_RETRY_SECONDS = 1;
/** Longest wait until a message is delivered again. */
export const LONGEST_RETRY_SECONDS = 60;

/**
 * Seconds until a message is delivered again: 1, 2, 4 … at most 60.
 * @param deliveryCount deliveries so far, 1 or more.
 */
export function decideRetryDelaySeconds(deliveryCount: number): number {
  const doublings = Math.max(0, deliveryCount - 1);
  return Math.min(LONGEST_RETRY_SECONDS, FIRST_RETRY_SECONDS * 2 ** Math.min(doublings, 10));
}

/** Metaplex refuses longer names (MetadataNameTooLong). */
const MAX_NAME_BYTES = 32;

/** `text` cut at a character boundary so that its UTF-8 form has at most 32 bytes; the cut is shown by an ellipsis. */
export function fitOnChainName(text: string): string {
  if (countUtf8Bytes(text) <= MAX_NAME_BYTES) return text;
  const ellipsis = "…";
  let kept = "";
  for (const character of text) {
    if (countUtf8Bytes(kept + character + ellipsis) > MAX_NAME_BYTES) break;
    kept += character;
  }
  return `${kept.trimEnd()}${ellipsis}`;
}

function countUtf8Bytes(text: string): number {
  let count = 0;
  for (const character of text) {
    const codePoint = character.codePointAt(0) ?? 0;
    if (codePoint < 0x80) count += 1;
    else if (codePoint < 0x800) count += 2;
    else if (codePoint < 0x10000) count += 3;
    else count += 4;
  }
  return count;
}
