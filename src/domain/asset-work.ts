import { parseMintMessage } from "./mint-messages.ts";
import { MAX_SIGNED_TRANSACTIONS, type ChainObservation } from "./mint.ts";
import type { MintStatus } from "./statuses.ts";

/** What the queue `assets` carries: a ticket whose asset has work waiting, or a tree to follow. */
export type AssetMessage = { readonly tenantId: string; readonly ticketId: string } | { readonly treeAddress: string };

/** Reads a message's body. @returns undefined when it is no message about assets. */
export function parseAssetMessage(body: unknown): AssetMessage | undefined {
  if (typeof body === "object" && body !== null && "treeAddress" in body) {
    return typeof body.treeAddress === "string" ? { treeAddress: body.treeAddress } : undefined;
  }
  return parseMintMessage(body);
}

/** What is to become of a ticket's asset: it goes to the ticket's wallet as that is now, or it is burnt. */
export type AssetGoal = { readonly kind: "move"; readonly toAddress: string } | { readonly kind: "burn" };

/** What an open piece of work remembers, and the facts about its ticket that matter for its next step. */
export interface AssetWorkState {
  readonly goal: AssetGoal;
  /** Signature of the transaction signed last; it is stored before that transaction is first sent. */
  readonly signature: string | null;
  /** The chain takes the transaction in a block of at most this height. */
  readonly lastValidBlockHeight: number | null;
  /** Transactions signed so far. */
  readonly attempts: number;
  /** The ticket is cancelled: nothing of it moves any more. */
  readonly isCancelled: boolean;
  /** The ticket's mint; null while its job is not in D1. */
  readonly mint: { readonly status: MintStatus; readonly isSigned: boolean } | null;
}

/** Where the asset is: with someone, burnt, or not to be told right now. `isFinal` is false when a dropped block may still undo that. */
export type AssetSighting =
  | { readonly kind: "held"; readonly ownerAddress: string; readonly isFinal: boolean }
  | { readonly kind: "burnt" }
  | { readonly kind: "unclear" };

/** The next step of the work on an asset. `error` says what became of the transaction before. */
export type AssetStep =
  /** Ask the chain about the stored signature, then decide again. */
  | { readonly kind: "observe" }
  /** Find the asset and prove its leaf, then decide again. */
  | { readonly kind: "locate" }
  | { readonly kind: "wait" }
  /** Send the stored bytes once more: the same bytes land at most once. */
  | { readonly kind: "resend" }
  /** Sign a new transaction, store it, send it. */
  | { readonly kind: "sign"; readonly error: string | null }
  /** The transaction is final: note which change of the tree it made. */
  | { readonly kind: "land" }
  /** The asset is where it belongs, or burnt as it should be. */
  | { readonly kind: "done" }
  | { readonly kind: "fail"; readonly error: string }
  /** The mint was given up with a signature that may have landed: let it be asked for again. */
  | { readonly kind: "revive_mint" }
  /** Nothing was ever signed for the ticket: end its mint, and with it the burn. */
  | { readonly kind: "cancel_mint" };

/**
 * Decides the next step of a piece of work (docs/adr/0019).
 * @param observation what the chain said of `work.signature`; null when it has not been asked.
 * @param sighting where the asset was found; null when it has not been looked for.
 * Invariant: `sign` is answered only when no transaction that the work signed before can be, or ever come, in a block; so a
 * transaction of an earlier owner's time can never undo a later move.
 */
export function decideAssetStep(
  work: AssetWorkState,
  observation: ChainObservation | null,
  sighting: AssetSighting | null,
): AssetStep {
  if (work.signature === null || work.lastValidBlockHeight === null) return decideUnsigned(work, sighting, null);
  if (observation === null) return { kind: "observe" };
  switch (observation.seen) {
    case "succeeded":
      return { kind: "land" };
    case "failed":
      // A proof that was overtaken by other changes of the tree ends here: the next one is read anew.
      return decideUnsigned(work, sighting, `failed on chain: ${observation.error ?? "no reason given"}`);
    case "in_flight":
    case "unclear":
      return { kind: "wait" };
    case "unknown":
      if (observation.finalizedBlockHeight <= work.lastValidBlockHeight) return { kind: "resend" };
      return decideUnsigned(work, sighting, "expired without landing");
  }
}

/** Nothing that was signed can land any more. */
function decideUnsigned(work: AssetWorkState, sighting: AssetSighting | null, error: string | null): AssetStep {
  const { goal, mint } = work;
  if (goal.kind === "move" && work.isCancelled) return { kind: "fail", error: "the ticket is cancelled: its asset is burnt" };
  if (mint === null) return { kind: "wait" };
  if (mint.status !== "MINTED") return goal.kind === "burn" ? endMint(mint) : { kind: "wait" };
  if (sighting === null) return { kind: "locate" };
  switch (sighting.kind) {
    case "unclear":
      return { kind: "wait" };
    case "burnt":
      return goal.kind === "burn" ? { kind: "done" } : { kind: "fail", error: "the asset is burnt" };
    case "held":
      // Signing for what is undone costs a try; calling it done would end the work.
      if (goal.kind === "move" && sighting.ownerAddress === goal.toAddress) return { kind: sighting.isFinal ? "done" : "wait" };
      if (work.attempts >= MAX_SIGNED_TRANSACTIONS) return { kind: "fail", error: error ?? "signed for too often" };
      return { kind: "sign", error };
  }
}

/** A mint under way is left to land, and then burnt. */
function endMint({ status, isSigned }: NonNullable<AssetWorkState["mint"]>): AssetStep {
  if (!isSigned) return { kind: "cancel_mint" };
  return status === "FAILED" ? { kind: "revive_mint" } : { kind: "wait" };
}
