import { z } from "@hono/zod-openapi";
import type { EventView } from "#services/event/event-view";
import { id, lineOfText, presentTime, time } from "../../schemas.ts";

/** An event as the contract shows it. */
export const eventShape = z
  .object({
    id,
    name: z.string(),
    venueName: z.string().nullable(),
    startsAt: z.iso.datetime(),
    endsAt: z.iso.datetime(),
    timezone: z.string(),
    currency: z.string(),
    createdAt: z.iso.datetime(),
    updatedAt: z.iso.datetime(),
  })
  .openapi("Event");

/** What an organiser says of an event; the rules between its fields are the use case's. */
export const eventBody = z.strictObject({
  name: lineOfText(200),
  venueName: lineOfText(200).nullable().default(null),
  startsAt: time,
  endsAt: time,
  timezone: z.string().max(64).openapi({ description: "IANA name", example: "Europe/Berlin" }),
  currency: z.string().length(3, "must be an ISO 4217 code such as EUR").openapi({ description: "ISO 4217", example: "EUR" }),
});

/** The parsed body as the use cases take it. */
export function toEventFields({ startsAt, endsAt, ...fields }: z.output<typeof eventBody>) {
  return { ...fields, startsAtMs: startsAt, endsAtMs: endsAt };
}

/** The event's wire form. */
export function presentEvent(event: EventView): z.input<typeof eventShape> {
  const { id: eventId, name, venueName, startsAtMs, endsAtMs, timezone, currency, createdAtMs, updatedAtMs } = event;
  return {
    id: eventId,
    name,
    venueName,
    startsAt: presentTime(startsAtMs),
    endsAt: presentTime(endsAtMs),
    timezone,
    currency,
    createdAt: presentTime(createdAtMs),
    updatedAt: presentTime(updatedAtMs),
  };
}
