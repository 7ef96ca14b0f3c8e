import { randomUUID } from "node:crypto";
import { createHttpClient } from "../http-client.ts";
import { signDevelopmentToken } from "../sign-development-token.ts";
import type { DevelopmentSecrets } from "../dev-vars.ts";
import { BENCH_PATH } from "./bench-bundle.ts";

/** So many that no rate limit of one user is met. */
const BUYERS = 600;
const SCANNERS = 100;
const ADDRESSES = 500;
const CAPACITY = 1_000_000;
const SPREAD_TYPES = 64;
const HOUR_MS = 3_600_000;

/** What the load is about: an event with its doors open and two ticket types that do not sell out, and who calls. */
export interface BenchWorld {
  readonly serviceUrl: string;
  readonly tenantId: string;
  readonly eventId: string;
  /** Holds are made of this one, and it is read. */
  readonly heldTypeId: string;
  /** Orders are made of this one, and its tickets are scanned; it is the event's second. */
  readonly soldTypeId: string;
  readonly soldTypeNumber: number;
  /** Types of an event of their own, for a sale that no single one is hot in. */
  readonly spreadEventId: string;
  readonly spreadTypeIds: readonly string[];
  /** Header lines of each buyer, and of each device at the door. */
  readonly buyers: readonly string[];
  readonly scanners: readonly string[];
  /** Header lines of visitors who have not signed in, each with an address as Cloudflare would name it. */
  readonly visitors: readonly string[];
}

/** Makes the event through the service's own API, and signs everyone's tokens. */
export async function createBenchWorld(serviceUrl: string, secrets: DevelopmentSecrets): Promise<BenchWorld> {
  const tenantId = randomUUID();
  const sign = (role: "user" | "door_staff" | "venue_manager"): Promise<string> =>
    signDevelopmentToken(secrets, { role, tenantId });
  const signLines = (count: number, role: "user" | "door_staff"): Promise<string[]> =>
    Promise.all(Array.from({ length: count }, async () => `Authorization: Bearer ${await sign(role)}`));
  const token = await sign("venue_manager");
  const call = createHttpClient(serviceUrl);
  const create = async (path: string, body: unknown): Promise<string> => {
    const answer = await call("POST", path, { token, body });
    if (answer.status !== 201) throw new Error(`POST ${path} answered ${answer.status}: ${JSON.stringify(answer.body)}`);
    return String(answer.body["id"]);
  };
  const startsAtMs = Date.now() + HOUR_MS;
  const newEvent = {
    name: "Benchmark",
    startsAt: new Date(startsAtMs).toISOString(),
    endsAt: new Date(startsAtMs + HOUR_MS).toISOString(),
    timezone: "Europe/Berlin",
    currency: "EUR",
  };
  const eventId = await create("/api/v1/events", newEvent);
  const newType = { priceCents: 4_500, feeCents: 250, taxRateBps: 1_900, quantity: CAPACITY };
  const heldTypeId = await create("/api/v1/tickets/types", { ...newType, eventId, name: "Held" });
  const soldTypeId = await create("/api/v1/tickets/types", { ...newType, eventId, name: "Sold" });
  const spreadEventId = await create("/api/v1/events", newEvent);
  const spreadTypeIds: string[] = [];
  for (let number = 1; number <= SPREAD_TYPES; number += 1) {
    spreadTypeIds.push(await create("/api/v1/tickets/types", { ...newType, eventId: spreadEventId, name: `Block ${number}` }));
  }
  const [buyers, scanners] = await Promise.all([signLines(BUYERS, "user"), signLines(SCANNERS, "door_staff")]);
  const visitors = Array.from({ length: ADDRESSES }, (_, n) => `CF-Connecting-IP: 203.0.${n >> 8}.${n & 255}`);
  const types = { heldTypeId, soldTypeId, soldTypeNumber: 2, spreadEventId, spreadTypeIds };
  return { serviceUrl, tenantId, eventId, ...types, buyers, scanners, visitors };
}

const INSERT_ORDER = `
  INSERT INTO orders (id, tenant_id, order_number, user_id, event_id, status, currency, subtotal_cents, discount_cents,
    fee_cents, tax_cents, total_cents, reservation_id, hold_expires_at_ms, created_at_ms, seq)
  VALUES (?1, ?2, ?1, ?1, ?3, 'COMPLETED', 'EUR', 0, 0, 0, 0, 0, ?1, 0, 0, 1)`;

const INSERT_TICKETS = `
  INSERT INTO tickets (id, tenant_id, event_id, ticket_type_id, order_id, owner_user_id, status, credential_epoch, created_at_ms)
  SELECT value, ?2, ?3, ?4, ?5, ?5, 'SOLD', 0, 0 FROM json_each(?1)`;

/** D1 takes statements with values of 2 MB at most. */
const TICKETS_AT_ONCE = 10_000;

/**
 * Puts sold tickets into D1, where issuing them would have put them: a gate decides without them, but the record of a scan
 * refers to its ticket.
 */
export async function issueTickets(world: BenchWorld, count: number): Promise<string[]> {
  const { tenantId, eventId, soldTypeId } = world;
  const orderId = randomUUID();
  await runSql(world, INSERT_ORDER, [orderId, tenantId, eventId]);
  const ticketIds = Array.from({ length: count }, () => randomUUID());
  for (let start = 0; start < count; start += TICKETS_AT_ONCE) {
    const chunk = ticketIds.slice(start, start + TICKETS_AT_ONCE);
    await runSql(world, INSERT_TICKETS, [JSON.stringify(chunk), tenantId, eventId, soldTypeId, orderId]);
  }
  return ticketIds;
}

/** Runs one statement on the service's D1 and gives its rows. */
export async function runSql(world: BenchWorld, sql: string, values: readonly unknown[]): Promise<unknown[]> {
  const body = JSON.stringify({ sql, values });
  const response = await fetch(`${world.serviceUrl}${BENCH_PATH}sql`, { method: "POST", body });
  if (!response.ok) throw new Error(`D1 did not take a statement: ${response.status} ${await response.text()}`);
  return (await response.json()) as unknown[]; // rows, as the bench module in front of the service sends them
}
