import { z } from "zod";
import { succeed, type Result } from "#domain/result";
import type { PaymentStatus } from "#domain/statuses";
import type { CircuitBreakers } from "#platform/circuit-breakers";
import type {
  CreatedPayment,
  PaymentEvent,
  PaymentProvider,
  PaymentProviderDown,
  PaymentRequest,
  RefundRequest,
  RequestedRefund,
  WebhookRefusal,
} from "./payment-provider.ts";
import { postIdempotent } from "./post-idempotent.ts";
import { parseStandardPaymentEvent } from "./standard-payment-event.ts";
import { verifyStandardWebhook } from "./standard-webhook.ts";

/** What the provider is made with. */
export interface StandardProviderOptions {
  /** Where payments and refunds are posted, `SANDBOX_PAYMENT_URL`. */
  readonly baseUrl: string;
  /** `PAYMENT_WEBHOOK_SECRETS` split into its `whsec_…` secrets, newest first. */
  readonly webhookSecrets: readonly string[];
  /** The isolate's one instance, so that all requests share what is known about the provider. */
  readonly breakers: CircuitBreakers;
  /** Time one HTTP attempt may take. */
  readonly timeoutMs?: number;
}

const paymentAnswerSchema = z.object({
  id: z.string().min(1).max(200),
  status: z.enum(["requires_action", "succeeded", "failed", "canceled"]),
  checkoutUrl: z.url({ protocol: /^https?$/ }),
});

const refundAnswerSchema = z.object({
  id: z.string().min(1).max(200),
  status: z.enum(["submitted", "succeeded", "failed"]),
});

const PAYMENT_STATUS_OF = {
  requires_action: "REQUIRES_ACTION",
  succeeded: "SUCCEEDED",
  failed: "FAILED",
  canceled: "CANCELED",
} as const satisfies Record<z.infer<typeof paymentAnswerSchema>["status"], PaymentStatus>;

const DEFAULT_TIMEOUT_MS = 5000;

/**
 * Provider `standard`: payments and refunds over plain JSON HTTP, events signed as Standard Webhooks. The sandbox provider
 * under `dev/` speaks it, and so can any provider that signs its webhooks that way.
 */
export class StandardProvider implements PaymentProvider {
  readonly name = "standard";
  readonly #baseUrl: string;
  readonly #webhookSecrets: readonly string[];
  readonly #breakers: CircuitBreakers;
  readonly #timeoutMs: number;

  constructor(options: StandardProviderOptions) {
    this.#baseUrl = options.baseUrl.replace(/\/+$/, "");
    this.#webhookSecrets = options.webhookSecrets;
    this.#breakers = options.breakers;
    this.#timeoutMs = options.timeoutMs ?? DEFAULT_TIMEOUT_MS;
  }

  async createPayment(request: PaymentRequest, idempotencyKey: string): Promise<Result<CreatedPayment, PaymentProviderDown>> {
    const { orderId, amountCents, currency, description, expiresAtMs } = request;
    const expiresAt = new Date(expiresAtMs).toISOString();
    const body = { orderId, amountCents, currency, description, expiresAt };
    const answer = await this.#post("/payments", body, idempotencyKey, paymentAnswerSchema);
    if (!answer.ok) return answer;
    const { id, status, checkoutUrl } = answer.value;
    return succeed({
      provider: this.name,
      paymentId: id,
      status: PAYMENT_STATUS_OF[status],
      action: status === "requires_action" ? { type: "redirect", url: checkoutUrl } : { type: "none" },
    });
  }

  async requestRefund(request: RefundRequest, idempotencyKey: string): Promise<Result<RequestedRefund, PaymentProviderDown>> {
    const { paymentId, orderId, amountCents, currency, reason } = request;
    const body = { paymentId, orderId, amountCents, currency, reason };
    const answer = await this.#post("/refunds", body, idempotencyKey, refundAnswerSchema);
    if (!answer.ok) return answer;
    return succeed({ refundId: answer.value.id, status: answer.value.status });
  }

  async verifyWebhook(rawBody: Uint8Array, headers: Headers, nowMs: number): Promise<Result<PaymentEvent, WebhookRefusal>> {
    const verified = verifyStandardWebhook(this.#webhookSecrets, rawBody, headers, nowMs);
    if (!verified.ok) return verified;
    return parseStandardPaymentEvent(rawBody, verified.value.webhookId);
  }

  #post<T>(
    path: string,
    body: unknown,
    idempotencyKey: string,
    answerSchema: z.ZodType<T>,
  ): Promise<Result<T, PaymentProviderDown>> {
    return postIdempotent(this.#breakers, {
      url: `${this.#baseUrl}${path}`,
      body,
      idempotencyKey,
      timeoutMs: this.#timeoutMs,
      answerSchema,
      breakerName: "payment-provider-standard",
    });
  }
}
