import type { Failure } from "#domain/failure";
import { succeed, refuse, type Result } from "#domain/result";
import { verifyStandardWebhook } from "#payments/standard-webhook";
import type { ServiceContext } from "../context.ts";

/** A call that an operator's own service signed. */
export interface SignedCall {
  /** Empty for GET. */
  readonly rawBody: Uint8Array;
  readonly headers: Headers;
}

/** Verifies Standard Webhooks headers over the raw body with the internal key ring; refuses `webhook_signature_invalid`. */
export function verifyInternalCall(
  ctx: ServiceContext,
  call: SignedCall,
): Result<{ webhookId: string; signedAtMs: number }, Failure> {
  const verified = verifyStandardWebhook(ctx.internalSecrets, call.rawBody, call.headers, ctx.nowMs);
  if (verified.ok) return succeed(verified.value);
  ctx.logger.warn("an internal call was refused", { reason: verified.failure.reason });
  return refuse({ code: "webhook_signature_invalid" });
}
