/** An organiser in a tenant of their own, who calls the service over HTTP or its use cases directly. */
import { runInDurableObject } from "cloudflare:test";
import { env, exports } from "cloudflare:workers";
import type { Role } from "#domain/principal";
import type { SignedInContext } from "#services/context";
import { compose } from "#src/compose";
import { signToken } from "./sign-token.ts";

/** An answer with its body read. */
export interface Answer {
  readonly status: number;
  readonly body: unknown;
}

/** Who calls, in a tenant of a test's own. */
export interface Organiser {
  readonly tenantId: string;
  /** Calls the service as this caller. */
  call(method: string, path: string, body?: unknown): Promise<Answer>;
  /** The context that the service gives a use case for this caller, with what a test wants different in it. */
  contextWith(change?: Partial<SignedInContext>): SignedInContext;
}

/** A valid event, to change where a test needs it. */
export const EVENT = {
  name: "Night of the Lamps",
  venueName: "The Old Depot",
  startsAt: "2031-05-01T18:00:00.000Z",
  endsAt: "2031-05-01T23:00:00.000Z",
  timezone: "Europe/Berlin",
  currency: "EUR",
} as const;

/** Calls the service over HTTP; without a token, as anyone. */
export async function callService(method: string, path: string, body?: unknown, token?: string): Promise<Answer> {
  const response = await exports.default.fetch(`https://tickets.test${path}`, {
    method,
    headers: {
      ...(body === undefined ? {} : { "content-type": "application/json" }),
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, body: text === "" ? undefined : JSON.parse(text) };
}

/** A caller in a tenant of their own, a venue manager unless the test says otherwise. */
export async function makeOrganiser(role: Role = "venue_manager", tenantId: string = crypto.randomUUID()): Promise<Organiser> {
  const userId = crypto.randomUUID();
  const token = await signToken({ tenantId, sub: userId, role });
  const composed = compose(env);
  if (!composed.ok) throw new Error("the tests' environment is misconfigured");
  const { createContext } = composed.value;
  return {
    tenantId,
    call: (method, path, body) => callService(method, path, body, token),
    contextWith: (change = {}) => ({
      ...createContext("test", Date.now()),
      principal: { tenantId, userId, role, permissions: [] },
      ...change,
    }),
  };
}

/** Makes the event and gives its id. */
export async function makeEvent(
  organiser: Organiser,
  change: Partial<Record<keyof typeof EVENT, string>> = {},
): Promise<string> {
  return idOf(await organiser.call("POST", "/api/v1/events", { ...EVENT, ...change }));
}

const configuredTypes: string[] = [];

/** Makes a ticket type of the event, ten tickets at 45.00 unless said otherwise, and gives its id. */
export async function makeType(
  organiser: Organiser,
  eventId: string,
  change: Readonly<Record<string, unknown>> = {},
): Promise<string> {
  const body = { eventId, name: "Floor", priceCents: 4_500, quantity: 10, ...change };
  const id = idOf(await organiser.call("POST", "/api/v1/tickets/types", body));
  configuredTypes.push(id);
  return id;
}

/** Stops the alarms of the inventories that a test made; one that fires while the test run ends keeps it from ending. */
export async function closeInventories(): Promise<void> {
  for (const id of configuredTypes.splice(0)) {
    await runInDurableObject(env.TICKET_TYPE_INVENTORY.getByName(id), (_, state) => {
      state.storage.sql.exec("DELETE FROM outbox");
      return state.storage.deleteAlarm();
    });
  }
}

/** A database that fails whoever asks it. */
export const brokenDb = new Proxy({} as SignedInContext["db"], {
  get() {
    throw new Error("D1 is down");
  },
});

/** A database that never answers whoever asks it. */
export const silentDb = new Proxy({} as SignedInContext["db"], {
  get: (_, name, silent: unknown) => (name === "then" ? () => undefined : () => silent),
});

/** The id of something just made. */
export function idOf({ status, body }: Answer): string {
  if (status !== 201) throw new Error(`expected 201, got ${status}: ${JSON.stringify(body)}`);
  return (body as { readonly id: string }).id; // every 201 of these routes has one
}
