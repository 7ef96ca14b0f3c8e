import { z } from "zod";
import { isUuid } from "#domain/ids";
import { refuse, succeed, type Result } from "#domain/result";
import { PAYMENT_EVENT_TYPES, type PaymentEvent, type WebhookMalformed } from "./payment-provider.ts";
import { decodeUtf8 } from "./webhook-signature.ts";

/**
 * Fields we do not know are let through unread: a provider adds fields without asking, and refusing its events would make
 * it retry them for days while the tickets stay unpaid. For the same reason a time may have an offset, and a currency small letters.
 * What else we read is checked to the letter.
 */
const envelopeSchema = z.object({ type: z.string().min(1).max(100) });

const eventSchema = z.object({
  type: z.enum(PAYMENT_EVENT_TYPES),
  timestamp: z.iso.datetime({ offset: true }),
  data: z.object({
    paymentId: z.string().min(1).max(200),
    orderId: z.string().refine(isUuid, "a lower-case UUID"),
    amountCents: z.int().min(0),
    currency: z
      .string()
      .regex(/^[A-Za-z]{3}$/)
      .toUpperCase(),
    // Null where there is none: many providers write it out.
    reason: z.string().max(500).nullish(),
    refundId: z.string().min(1).max(200).nullish(),
    disputeId: z.string().min(1).max(200).nullish(),
  }),
});

/**
 * Reads the body of a verified delivery as a payment event of provider `standard`.
 * @param eventId the delivery's `webhook-id`.
 * @returns the event, an `ignored` one when its type is unknown (whatever else it holds), or `webhook_malformed` for bytes
 * that are no such event: not UTF-8, not JSON, cut off, or with a field of another type. Never throws.
 */
export function parseStandardPaymentEvent(rawBody: Uint8Array, eventId: string): Result<PaymentEvent, WebhookMalformed> {
  return readStandardPaymentEvent(parseJson(rawBody), eventId);
}

/** As {@link parseStandardPaymentEvent}, of JSON that is parsed already: an event out of the provider's own list. */
export function readStandardPaymentEvent(body: unknown, eventId: string): Result<PaymentEvent, WebhookMalformed> {
  const event = eventSchema.safeParse(body);
  if (!event.success) {
    const envelope = envelopeSchema.safeParse(body);
    if (!envelope.success) return refuseBody(envelope.error);
    const rawType = envelope.data.type;
    if (isKnownType(rawType)) return refuseBody(event.error);
    return succeed({ provider: "standard", eventId, type: "ignored", occurredAtMs: null, rawType });
  }
  const { paymentId, orderId, amountCents, currency, reason, refundId, disputeId } = event.data.data;
  return succeed({
    provider: "standard",
    eventId,
    type: event.data.type,
    occurredAtMs: Date.parse(event.data.timestamp),
    paymentId,
    orderId,
    amountCents,
    currency,
    ...(typeof reason === "string" ? { reason } : {}),
    ...(typeof refundId === "string" ? { refundId } : {}),
    ...(typeof disputeId === "string" ? { disputeId } : {}),
    rawType: event.data.type,
  });
}

function isKnownType(type: string): boolean {
  return PAYMENT_EVENT_TYPES.some((known) => known === type);
}

/** The parsed body, or undefined (which no JSON text parses to) when it is no JSON. */
function parseJson(rawBody: Uint8Array): unknown {
  const text = decodeUtf8(rawBody);
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function refuseBody(error: z.ZodError): Result<never, WebhookMalformed> {
  return refuse({ code: "webhook_malformed", paths: error.issues.map((issue) => issue.path.join(".")) });
}
