import { z } from "zod";
import { succeed, type Result } from "#domain/result";
import type { PaymentStatus } from "#domain/statuses";
import type { CircuitBreakers } from "#platform/circuit-breakers";
import { callProvider, type ProviderCall } from "./call-provider.ts";
import type {
  CreatedPayment,
  InspectedPayment,
  PaymentEvent,
  PaymentProvider,
  PaymentProviderDown,
  PaymentRequest,
  RefundRequest,
  RequestedRefund,
  WebhookRefusal,
} from "./payment-provider.ts";
import { parseStandardPaymentEvent, readStandardPaymentEvent } from "./standard-payment-event.ts";
import { verifyStandardWebhook } from "./standard-webhook.ts";

const DEFAULT_TIMEOUT_MS = 5000;
const EVENTS_A_PAGE = 100;

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

const statusSchema = z.enum(["requires_action", "succeeded", "failed", "canceled"]);

const paymentAnswerSchema = z.object({
  id: z.string().min(1).max(200),
  status: statusSchema,
  checkoutUrl: z.url({ protocol: /^https?$/ }),
});

const refundAnswerSchema = z
  .object({ id: z.string().min(1).max(200), status: z.enum(["submitted", "succeeded", "failed"]) })
  .transform(({ id, status }): RequestedRefund => ({ refundId: id, status }));

const inspectedPaymentSchema = z
  .object({
    id: z.string().min(1).max(200),
    status: statusSchema,
    amountCents: z.int().min(0),
    paidAmountCents: z.int().min(0).nullable(),
    currency: z.string().regex(/^[A-Z]{3}$/),
  })
  .transform(({ id, status, amountCents, paidAmountCents, currency }): InspectedPayment => ({
    paymentId: id,
    status: status === "requires_action" ? "open" : status,
    amountCents: paidAmountCents ?? amountCents,
    currency,
  }));

/** `data` and the rest are read by the parser of webhooks: the list's items have their shape. */
const eventListSchema = z.object({
  items: z.array(z.looseObject({ id: z.string().min(1).max(256) })).max(EVENTS_A_PAGE),
  nextCursor: z.string().min(1).max(1000).nullable(),
});

const PAYMENT_STATUS_OF = {
  requires_action: "REQUIRES_ACTION",
  succeeded: "SUCCEEDED",
  failed: "FAILED",
  canceled: "CANCELED",
} as const satisfies Record<z.infer<typeof statusSchema>, PaymentStatus>;

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
    return this.#post("/refunds", body, idempotencyKey, refundAnswerSchema);
  }

  async verifyWebhook(rawBody: Uint8Array, headers: Headers, nowMs: number): Promise<Result<PaymentEvent, WebhookRefusal>> {
    const verified = verifyStandardWebhook(this.#webhookSecrets, rawBody, headers, nowMs);
    if (!verified.ok) return verified;
    return parseStandardPaymentEvent(rawBody, verified.value.webhookId);
  }

  async findPayment(paymentId: string): Promise<Result<InspectedPayment | undefined, PaymentProviderDown>> {
    const path = `/payments/${encodeURIComponent(paymentId)}`;
    return unlessUnknown(await this.#call({ method: "GET", path, answerSchema: inspectedPaymentSchema }));
  }

  async findRefund(refundId: string): Promise<Result<RequestedRefund | undefined, PaymentProviderDown>> {
    const path = `/refunds/${encodeURIComponent(refundId)}`;
    return unlessUnknown(await this.#call({ method: "GET", path, answerSchema: refundAnswerSchema }));
  }

  async cancelPayment(paymentId: string): Promise<Result<InspectedPayment | undefined, PaymentProviderDown>> {
    const path = `/payments/${encodeURIComponent(paymentId)}/cancel`;
    const answerSchema = z.object({ payment: inspectedPaymentSchema });
    const answer = await this.#call({ method: "POST", path, answerSchema });
    if (answer.ok) return succeed(answer.value.payment);
    // Paid or ended meanwhile: the provider says no more than that.
    return answer.failure.httpStatus === 409 ? this.findPayment(paymentId) : unlessUnknown(answer);
  }

  async listUndeliveredEvents(sinceMs: number, limit: number): Promise<Result<readonly PaymentEvent[], PaymentProviderDown>> {
    const events: PaymentEvent[] = [];
    let cursor: string | null = null;
    for (let askedFor = 0; askedFor < limit; askedFor += EVENTS_A_PAGE) {
      const page = await this.#listEvents(sinceMs, Math.min(EVENTS_A_PAGE, limit - askedFor), cursor);
      if (!page.ok) return page;
      events.push(...page.value.events);
      cursor = page.value.nextCursor;
      if (cursor === null) break;
    }
    return succeed(events);
  }

  /** A page of the provider's list. An event that we cannot read is counted out: as a delivery it would be refused with 400. */
  async #listEvents(
    sinceMs: number,
    limit: number,
    cursor: string | null,
  ): Promise<Result<{ readonly events: readonly PaymentEvent[]; readonly nextCursor: string | null }, PaymentProviderDown>> {
    const since = new Date(sinceMs).toISOString();
    const query = new URLSearchParams({
      undelivered: "1",
      since,
      limit: String(limit),
      ...(cursor === null ? {} : { cursor }),
    });
    const answer = await this.#call({ method: "GET", path: `/events?${query.toString()}`, answerSchema: eventListSchema });
    if (!answer.ok) return answer;
    const { items, nextCursor } = answer.value;
    const events = items.map((item) => readStandardPaymentEvent(item, item.id)).filter((event) => event.ok);
    return succeed({ events: events.map(({ value }) => value), nextCursor });
  }

  #post<T>(
    path: string,
    body: unknown,
    idempotencyKey: string,
    answerSchema: z.ZodType<T>,
  ): Promise<Result<T, PaymentProviderDown>> {
    return this.#call({ method: "POST", path, body, idempotencyKey, answerSchema });
  }

  #call<T>({ path, ...call }: CallToProvider<T>): Promise<Result<T, PaymentProviderDown>> {
    const url = `${this.#baseUrl}${path}`;
    return callProvider(this.#breakers, { ...call, url, timeoutMs: this.#timeoutMs, breakerName: "payment-provider-standard" });
  }
}

/** A call as this provider makes it: to a path of its own. */
type CallToProvider<T> = Omit<ProviderCall<T>, "url" | "timeoutMs" | "breakerName"> & { readonly path: string };

/** The provider says 404 to a payment that it does not know: an answer, not an outage. */
function unlessUnknown<T>(answer: Result<T, PaymentProviderDown>): Result<T | undefined, PaymentProviderDown> {
  return !answer.ok && answer.failure.httpStatus === 404 ? succeed(undefined) : answer;
}
