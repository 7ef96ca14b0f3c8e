import type { SigningKeys } from "#platform/signing-keys";
import type { SignedInContext } from "../context.ts";

/** What the door's use cases may reach: the common context, and the ring that signs credentials and receipts. */
export interface DoorContext extends SignedInContext {
  /** The ring of `CREDENTIAL_SIGNING_KEYS`, imported once an isolate. */
  credentialKeys(): Promise<SigningKeys>;
}
