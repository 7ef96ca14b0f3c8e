import { remember } from "#platform/remember";
import { StripeApiError } from "./stripe-error.ts";

/** An answer that is kept to be given again. */
export interface KeptAnswer {
  readonly status: number;
  readonly body: string;
  /** The first request's id. */
  readonly requestId: string;
}

interface Entry extends KeptAnswer {
  readonly fingerprint: string;
  readonly keptAtMs: number;
}

const KEPT_FOR_MS = 24 * 3_600_000;
const MAX_ENTRIES = 10_000;
const MAX_KEY_CHARS = 255;

/** Stripe's memory of idempotency keys: the first answer again for 24 hours, whether it was a success or not. */
export class IdempotencyStore {
  readonly #readClockMs: () => number;
  readonly #entries = new Map<string, Entry>();

  constructor(readClockMs: () => number) {
    this.#readClockMs = readClockMs;
  }

  /**
   * The answer kept under a key.
   * @param fingerprint method, path and body: the same key with another is an `idempotency_error`.
   */
  find(key: string, fingerprint: string): KeptAnswer | undefined {
    if (key.length > MAX_KEY_CHARS) {
      throw new StripeApiError(
        400,
        { type: "invalid_request_error", message: "Idempotency keys have at most 255 characters" },
        true,
      );
    }
    const entry = this.#entries.get(key);
    if (entry === undefined || this.#readClockMs() - entry.keptAtMs >= KEPT_FOR_MS) return undefined;
    if (entry.fingerprint === fingerprint) return entry;
    const message = `Keys for idempotent requests can only be used with the same parameters they were first used with (${key}).`;
    throw new StripeApiError(400, { type: "idempotency_error", message }, true);
  }

  keep(key: string, fingerprint: string, answer: KeptAnswer): void {
    remember(this.#entries, key, { ...answer, fingerprint, keptAtMs: this.#readClockMs() }, MAX_ENTRIES);
  }
}
