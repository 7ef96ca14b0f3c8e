/** The event that `npm start` shows, made through the service's own HTTP API. */
import { readFile, writeFile } from "node:fs/promises";
import { z } from "zod";
import { createHttpClient } from "./http-client.ts";

/** What the seed made, as the service answered it. */
export interface Seeded {
  readonly eventId: string;
  /** Floor, then balcony. */
  readonly ticketTypeIds: readonly string[];
}

/** Where the seed works and as whom. */
export interface SeedOptions {
  readonly serviceUrl: string;
  /** Bearer token of a venue manager. */
  readonly token: string;
  /** File that remembers what was made, so that a second start finds it again. */
  readonly memoryPath: string;
}

const withId = z.object({ id: z.string() });
const withEnd = z.object({ endsAt: z.string() });

const HOUR_MS = 3_600_000;
/** Doors are open already, so that a ticket bought now can be scanned now. */
const STARTS_IN_MS = HOUR_MS;
const LASTS_MS = 72 * HOUR_MS;

const TICKET_TYPES = [
  { name: "Floor", description: "Standing, near the stage", priceCents: 4_500, quantity: 200, feeCents: 250 },
  { name: "Balcony", description: "Seated", priceCents: 7_000, quantity: 50, maxPerOrder: 4, feeCents: 250 },
];

/**
 * Finds the event of an earlier start, as long as it has not ended, and makes a new one otherwise.
 * @throws Error with the service's answer when it refuses.
 */
export async function seedEvent(options: SeedOptions): Promise<Seeded> {
  const remembered = await findRemembered(options);
  if (remembered !== undefined) return remembered;
  const startsAtMs = Date.now() + STARTS_IN_MS;
  const eventId = await create(options, "/api/v1/events", {
    name: "Opening Night",
    venueName: "The Old Depot",
    startsAt: new Date(startsAtMs).toISOString(),
    endsAt: new Date(startsAtMs + LASTS_MS).toISOString(),
    timezone: "Europe/Berlin",
    currency: "EUR",
  });
  const ticketTypeIds: string[] = [];
  for (const type of TICKET_TYPES) ticketTypeIds.push(await create(options, "/api/v1/tickets/types", { eventId, ...type }));
  const seeded = { eventId, ticketTypeIds };
  await writeFile(options.memoryPath, JSON.stringify(seeded));
  return seeded;
}

async function create({ serviceUrl, token }: SeedOptions, path: string, body: unknown): Promise<string> {
  const answer = await createHttpClient(serviceUrl)("POST", path, { token, body });
  if (answer.status !== 201) throw new Error(`POST ${path} answered ${answer.status}: ${JSON.stringify(answer.body)}`);
  return withId.parse(answer.body).id;
}

async function findRemembered({ serviceUrl, token, memoryPath }: SeedOptions): Promise<Seeded | undefined> {
  const text = await readFile(memoryPath, "utf8").catch(() => undefined);
  if (text === undefined) return undefined;
  const seeded = JSON.parse(text) as Seeded; // written by seedEvent
  const { status, body } = await createHttpClient(serviceUrl)("GET", `/api/v1/events/${seeded.eventId}`, { token });
  if (status !== 200) return undefined;
  return Date.parse(withEnd.parse(body).endsAt) > Date.now() ? seeded : undefined;
}
