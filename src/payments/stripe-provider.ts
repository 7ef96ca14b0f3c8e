import type { Stripe } from "stripe";
import type { z } from "zod";
import { refuse, succeed, type Result } from "#domain/result";
import type { CircuitBreakers } from "#platform/circuit-breakers";
import type {
  CreatedPayment,
  FindKnownEvents,
  InspectedPayment,
  PaymentEvent,
  PaymentProvider,
  PaymentProviderDown,
  PaymentRequest,
  RefundRequest,
  RequestedRefund,
  WebhookRefusal,
} from "./payment-provider.ts";
import { toStripeAmount } from "./stripe-amount.ts";
import { callStripe, type StripeCallFailure } from "./stripe-call.ts";
import type { StripeClientOptions } from "./stripe-client.ts";
import { readStripeEvent, type FindIntent } from "./stripe-event.ts";
import { listUndeliveredPages } from "./stripe-event-pages.ts";
import { presentCreated, presentInspected, refundStatusOf } from "./stripe-presentation.ts";
import { findRefundMade, isRefundImpossible } from "./stripe-refunds.ts";
import { METADATA, stripeEnvelope, stripePaymentIntent, stripeRefund, type StripePaymentIntent } from "./stripe-schemas.ts";
import { verifyStripeWebhook } from "./stripe-webhook.ts";

/** What the provider is made with. */
export interface StripeProviderOptions {
  /** `STRIPE_SECRET_KEY`. */
  readonly secretKey: string;
  /** `STRIPE_API_BASE`: Stripe itself, or what stands in for it. */
  readonly apiBase: string;
  /** `STRIPE_WEBHOOK_SECRETS` split into its `whsec_…` secrets, newest first. */
  readonly webhookSecrets: readonly string[];
  /** The isolate's one instance, so that all requests share what is known about the provider. */
  readonly breakers: CircuitBreakers;
  /** Time one HTTP attempt may take. */
  readonly timeoutMs?: number;
}

/** Sends one request with the package's client. */
type Send = (client: Stripe) => Promise<unknown>;

const DEFAULT_TIMEOUT_MS = 5000;

/**
 * Provider `stripe`: PaymentIntents with whatever payment methods the account offers, through the official package.
 *
 * Money moves once: a payment under the order's id, a refund under its own. Stripe forgets keys after 24 hours, so a refund
 * is also looked for among those that were made, before it is asked for.
 */
export class StripeProvider implements PaymentProvider {
  readonly name = "stripe";
  readonly #options: StripeClientOptions;
  readonly #webhookSecrets: readonly string[];
  readonly #breakers: CircuitBreakers;
  /** Made with the first call. It holds nothing of the request that made it, so others may use it too. */
  #client: Stripe | undefined;

  constructor(options: StripeProviderOptions) {
    const { secretKey, apiBase, webhookSecrets, breakers, timeoutMs = DEFAULT_TIMEOUT_MS } = options;
    this.#options = { secretKey, apiBase, timeoutMs };
    this.#webhookSecrets = webhookSecrets;
    this.#breakers = breakers;
  }

  async createPayment(request: PaymentRequest, idempotencyKey: string): Promise<Result<CreatedPayment, PaymentProviderDown>> {
    const { orderId, tenantId, amountCents, currency, description } = request;
    const amount = toStripeAmount(amountCents, currency);
    if (amount === undefined) return refuse(UNPAYABLE);
    const params = {
      amount,
      currency: currency.toLowerCase(),
      automatic_payment_methods: { enabled: true },
      description,
      metadata: { [METADATA.order]: orderId, [METADATA.tenant]: tenantId },
    };
    const created = await this.#call(stripePaymentIntent, (stripe) => stripe.paymentIntents.create(params, { idempotencyKey }));
    return created.ok ? presentCreated(created.value) : refuse(created.failure.down);
  }

  async requestRefund(request: RefundRequest, idempotencyKey: string): Promise<Result<RequestedRefund, PaymentProviderDown>> {
    const { paymentId, orderId, amountCents, currency, reason } = request;
    const impossible: RequestedRefund = { refundId: idempotencyKey, status: "failed" };
    const amount = toStripeAmount(amountCents, currency);
    if (amount === undefined) return succeed(impossible);
    const call = this.#call.bind(this);
    const made = await findRefundMade(call, paymentId, idempotencyKey);
    if (!made.ok) return made;
    if (made.value) return succeed({ refundId: made.value.id, status: refundStatusOf(made.value.status) });
    const metadata = { [METADATA.order]: orderId, [METADATA.refund]: idempotencyKey, [METADATA.reason]: reason };
    const asked = await this.#call(stripeRefund, (stripe) =>
      stripe.refunds.create({ payment_intent: paymentId, amount, metadata }, { idempotencyKey }),
    );
    if (asked.ok) return succeed({ refundId: asked.value.id, status: refundStatusOf(asked.value.status) });
    return isRefundImpossible(asked.failure) ? succeed(impossible) : refuse(asked.failure.down);
  }

  async verifyWebhook(rawBody: Uint8Array, headers: Headers, nowMs: number): Promise<Result<PaymentEvent, WebhookRefusal>> {
    const verified = await verifyStripeWebhook(this.#webhookSecrets, rawBody, headers, nowMs);
    return verified.ok ? readStripeEvent(verified.value, (id) => this.#findIntent(id)) : verified;
  }

  async findPayment(paymentId: string): Promise<Result<InspectedPayment | undefined, PaymentProviderDown>> {
    const found = await this.#findIntent(paymentId);
    if (!found.ok) return found;
    return found.value === undefined ? succeed(undefined) : presentInspected(found.value);
  }

  async findRefund(refundId: string): Promise<Result<RequestedRefund | undefined, PaymentProviderDown>> {
    const found = await this.#call(stripeRefund, (stripe) => stripe.refunds.retrieve(refundId));
    if (!found.ok) return unlessUnknown(found.failure);
    return succeed({ refundId: found.value.id, status: refundStatusOf(found.value.status) });
  }

  async cancelPayment(paymentId: string): Promise<Result<InspectedPayment | undefined, PaymentProviderDown>> {
    // No key of ours: a refusal ("still processing") would be remembered under it, and cancelling twice is cancelling once.
    const canceled = await this.#call(stripePaymentIntent, (stripe) => stripe.paymentIntents.cancel(paymentId));
    if (canceled.ok) return presentInspected(canceled.value);
    // Paid, ended or being paid meanwhile: the refusal does not say which.
    return canceled.failure.down.httpStatus === 400 ? this.findPayment(paymentId) : unlessUnknown(canceled.failure);
  }

  async listUndeliveredEvents(
    sinceMs: number,
    limit: number,
    findKnown: FindKnownEvents = async () => new Set(),
  ): Promise<Result<readonly PaymentEvent[], PaymentProviderDown>> {
    const listed = await listUndeliveredPages(this.#call.bind(this), sinceMs, limit);
    if (!listed.ok) return listed;
    const known = await findKnown(listed.value.flatMap((body) => eventIdOf(body) ?? []));
    const events: PaymentEvent[] = [];
    let askedFor = 0;
    const findIntent: FindIntent = (id) => {
      askedFor += 1;
      return this.#findIntent(id);
    };
    for (const body of listed.value) {
      if (askedFor >= INTENTS_A_LIST) break;
      const event = await readStripeEvent(body, known.has(eventIdOf(body) ?? "") ? findNoIntent : findIntent);
      if (event.ok) events.push(event.value);
      else if (event.failure.code === "payment_provider_down" && !ABOUT_ONE.includes(event.failure.reason))
        return refuse(event.failure);
      // One that cannot be read is left out, or it would hold up all others: as a delivery it would be refused, too.
    }
    return succeed(events);
  }

  async #findIntent(paymentId: string): Promise<Result<StripePaymentIntent | undefined, PaymentProviderDown>> {
    const found = await this.#call(stripePaymentIntent, (stripe) => stripe.paymentIntents.retrieve(paymentId));
    return found.ok ? found : unlessUnknown(found.failure);
  }

  /** The package is evaluated on first use, not at start-up: an isolate that sells through another provider never pays for it. */
  async #call<T>(answerSchema: z.ZodType<T>, send: Send): Promise<Result<T, StripeCallFailure>> {
    const { createStripeClient, describeStripeError } = await import("./stripe-client.ts");
    const client = (this.#client ??= createStripeClient(this.#options));
    return callStripe(this.#breakers, { answerSchema, send: () => send(client), describe: describeStripeError });
  }
}

/** Payments asked for because of one list of events; the others come with the next list, when these are known. */
const INTENTS_A_LIST = 100;

const findNoIntent: FindIntent = async () => succeed(undefined);

function eventIdOf(body: unknown): string | undefined {
  return stripeEnvelope.safeParse(body).data?.id;
}

/** Why a payment cannot be read while Stripe is well: another may be. */
const ABOUT_ONE: readonly PaymentProviderDown["reason"][] = ["refused", "unreadable_answer"];

/** An amount or currency that Stripe does not take; asking again changes nothing. */
const UNPAYABLE: PaymentProviderDown = { code: "payment_provider_down", retryAfterSeconds: 3600, reason: "refused" };

/** Stripe says 404 to an id that it does not know: an answer, not an outage. */
function unlessUnknown({ down }: StripeCallFailure): Result<undefined, PaymentProviderDown> {
  return down.httpStatus === 404 ? succeed(undefined) : refuse(down);
}
