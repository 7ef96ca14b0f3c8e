import { createHmac } from "node:crypto";

/**
 * The `Stripe-Signature` header of a delivery: `t=<Unix seconds>`, one `v1` for each secret of the endpoint that is in use
 * (two while one is being replaced), and the `v0` that test mode adds and nobody may believe.
 * @param secrets `whsec_…`; the whole text is the key.
 */
export function signStripeWebhook(body: string, secrets: readonly string[], signedAtMs: number): string {
  const seconds = Math.floor(signedAtMs / 1000);
  const sign = (secret: string): string => createHmac("sha256", secret).update(`${seconds}.${body}`).digest("hex");
  const v1 = secrets.map((secret) => `v1=${sign(secret)}`);
  return [`t=${seconds}`, ...v1, `v0=${sign("test mode")}`].join(",");
}
