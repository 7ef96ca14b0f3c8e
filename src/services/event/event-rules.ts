import type { FieldError } from "#domain/failure";
import type { GateConfig } from "#domain/gate-messages";
import type { EventFields, EventRow } from "#storage/events";

/** Rules that no schema of a single field can say. Empty when all hold. */
export function listEventErrors(fields: EventFields): readonly FieldError[] {
  const errors: FieldError[] = [];
  if (fields.endsAtMs <= fields.startsAtMs) {
    errors.push({ path: "endsAt", code: "not_after_start", message: "the event must end after it starts" });
  }
  if (!isTimezone(fields.timezone)) {
    errors.push({ path: "timezone", code: "unknown_timezone", message: "must be an IANA time zone such as Europe/Berlin" });
  }
  if (!isCurrency(fields.currency)) {
    errors.push({ path: "currency", code: "unknown_currency", message: "must be an ISO 4217 code such as EUR" });
  }
  return errors;
}

/** What the event's gate must know of it. */
export function toGateConfig(event: Pick<EventRow, "id" | "tenantId" | "startsAtMs" | "endsAtMs">): GateConfig {
  const { id, tenantId, startsAtMs, endsAtMs } = event;
  return { tenantId, eventId: id, startsAtMs, endsAtMs };
}

/** A name the runtime can compute local times of; an offset such as +02:00 is none, because it knows no summer time. */
function isTimezone(name: string): boolean {
  if (!/^[A-Za-z]/.test(name)) return false;
  try {
    return new Intl.DateTimeFormat("en", { timeZone: name }).resolvedOptions().timeZone.length > 0;
  } catch {
    return false;
  }
}

let currencies: ReadonlySet<string> | undefined;

/** Upper case, and one of the currencies the runtime knows. */
function isCurrency(code: string): boolean {
  currencies ??= new Set(Intl.supportedValuesOf("currency"));
  return currencies.has(code);
}
