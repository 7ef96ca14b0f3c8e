import { z } from "@hono/zod-openapi";
import { ATTEMPT_ERRORS, WEBHOOK_DELIVERY_STATUSES } from "#domain/statuses";
import { EVENT_TYPES } from "#domain/webhook-endpoint";
import type { EndpointView } from "#services/webhook/endpoint-view";
import type { DeliveryView } from "#services/webhook/deliveries";
import { id, lineOfText, presentOptionalTime, presentTime } from "../../schemas.ts";

/** What an endpoint is made of. */
export const newEndpointBody = z.strictObject({
  url: lineOfText(1_000).openapi({ description: "An https URL with a name of the public DNS." }),
  description: lineOfText(200).nullish(),
  eventTypes: z
    .array(z.enum(EVENT_TYPES))
    .max(50)
    .transform((types) => [...new Set(types)])
    .default([])
    .openapi({ description: "The events wanted; none named are all, also those that come later." }),
});

/** A place that events are sent to. */
export const endpointShape = z
  .object({
    id,
    url: z.string(),
    description: z.string().nullable(),
    eventTypes: z.array(z.string()),
    status: z.enum(["ACTIVE", "DISABLED"]),
    failingSince: z.iso.datetime().nullable().openapi({ description: "Since when it has taken nothing." }),
    disabledAt: z.iso.datetime().nullable(),
    createdAt: z.iso.datetime(),
  })
  .openapi("WebhookEndpoint");

/** An endpoint whose secret was made just now. */
export const endpointWithSecretShape = endpointShape
  .extend({ secret: z.string().openapi({ description: "`whsec_` and base64; shown this once." }) })
  .openapi("WebhookEndpointWithSecret");

/** An event on its way to an endpoint. */
export const deliveryShape = z
  .object({
    id,
    endpointId: id,
    eventId: z.string().openapi({ description: "The `webhook-id`, the same at every attempt." }),
    eventType: z.string(),
    status: z.enum(WEBHOOK_DELIVERY_STATUSES),
    attempts: z.int(),
    nextAttemptAt: z.iso.datetime().nullable(),
    lastAttemptAt: z.iso.datetime().nullable(),
    lastStatus: z.int().nullable().openapi({ description: "HTTP status of the last answer; null when there was none." }),
    lastError: z.enum(ATTEMPT_ERRORS).nullable(),
    createdAt: z.iso.datetime(),
  })
  .openapi("WebhookDelivery");

/** The endpoint's wire form, which never holds a secret. */
export function presentEndpoint(endpoint: EndpointView): z.input<typeof endpointShape> {
  const { id: endpointId, url, description, eventTypes, status, failingSinceMs, disabledAtMs, createdAtMs } = endpoint;
  return {
    id: endpointId,
    url,
    description,
    eventTypes: [...eventTypes],
    status,
    failingSince: presentOptionalTime(failingSinceMs),
    disabledAt: presentOptionalTime(disabledAtMs),
    createdAt: presentTime(createdAtMs),
  };
}

/** The delivery's wire form. */
export function presentDelivery(delivery: DeliveryView): z.input<typeof deliveryShape> {
  const { id: deliveryId, endpointId, eventId, eventType, status, attempts, lastStatus, lastError } = delivery;
  return {
    id: deliveryId,
    endpointId,
    eventId,
    eventType,
    status,
    attempts,
    nextAttemptAt: presentOptionalTime(delivery.nextAttemptAtMs),
    lastAttemptAt: presentOptionalTime(delivery.lastAttemptAtMs),
    lastStatus,
    lastError,
    createdAt: presentTime(delivery.createdAtMs),
  };
}
