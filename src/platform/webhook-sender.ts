import { Webhook } from "standardwebhooks";
import { readAnswer, type AttemptAnswer } from "#domain/webhook-delivery";

/** An event on its way to an endpoint. */
export interface SignedPost {
  readonly url: string;
  /** `webhook-id`. */
  readonly eventId: string;
  readonly body: string;
  /** `whsec_` and base64, newest first; each signs. */
  readonly secrets: readonly string[];
  /** When this attempt is made, Unix milliseconds. */
  readonly atMs: number;
}

/** Time one attempt may take until its answer begins. */
export const ATTEMPT_TIMEOUT_MS = 10_000;

const SECRET_BYTES = 32;

/** A new secret as Standard Webhooks writes one: `whsec_` and the base64 of 32 random bytes. */
export function generateEndpointSecret(): string {
  return `whsec_${btoa(String.fromCharCode(...crypto.getRandomValues(new Uint8Array(SECRET_BYTES))))}`;
}

/**
 * Posts an event, signed as Standard Webhooks 1.0.0 prescribes (`v1`, HMAC-SHA256), and says what came back. Never throws for
 * what the endpoint does; follows no redirect, reads no body.
 */
export async function postSigned({ url, eventId, body, secrets, atMs }: SignedPost): Promise<AttemptAnswer> {
  const at = new Date(atMs);
  const signatures = secrets.map((secret) => new Webhook(secret).sign(eventId, at, body));
  try {
    const response = await fetch(url, {
      method: "POST",
      headers: {
        "content-type": "application/json",
        "user-agent": "edge-tickets",
        "webhook-id": eventId,
        "webhook-timestamp": String(Math.floor(atMs / 1000)),
        "webhook-signature": signatures.join(" "),
      },
      body,
      redirect: "manual",
      signal: AbortSignal.timeout(ATTEMPT_TIMEOUT_MS),
    });
    await response.body?.cancel();
    return readAnswer(response.status);
  } catch (error) {
    const isTimeout = error instanceof Error && error.name === "TimeoutError";
    return { status: null, error: isTimeout ? "timeout" : "unreachable" };
  }
}
