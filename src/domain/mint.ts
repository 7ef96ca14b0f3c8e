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
