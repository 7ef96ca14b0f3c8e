/** Calls the door's use cases as a caller of a test's choice, with codes signed by a ring of the test's own. */
import { env } from "cloudflare:workers";
import { drizzle } from "drizzle-orm/d1";
import { assembleCredential, encodeSignedBytes, type Credential } from "#domain/credential";
import type { IssuedTicket } from "#domain/order-messages";
import type { Logger } from "#platform/logger";
import { importSigningKeys, signBytes, type SigningSeed } from "#platform/signing-keys";
import type { SignedInContext } from "#services/context";
import { scanTicket, type ScanInput } from "#services/door/scan-ticket";
import type { ScanView } from "#services/door/scan-view";
import type { Door } from "./make-door.ts";

/** The moment at which a test's requests arrive, unless it says otherwise. */
export const NOW_MS = Date.now();
const nothingLogged: Logger = { debug() {}, info() {}, warn() {}, error() {}, with: () => nothingLogged };

/** A new key for a ring. */
export function newSeed(keyId: number): SigningSeed {
  return { keyId, seed: crypto.getRandomValues(new Uint8Array(32)) };
}
/** The ring the tests' service signs with: key 2 is the newest. */
export const ring = [newSeed(2), newSeed(1)];

/** Who calls, when, and what the service knows. */
export interface Caller {
  readonly tenantId: string;
  readonly userId?: string;
  readonly role?: "user" | "door_staff" | "venue_manager";
  readonly nowMs?: number;
  readonly seeds?: readonly SigningSeed[];
  /** What the desk knows of tickets that D1 has no row for. */
  readonly atDesk?: IssuedTicket;
  readonly db?: SignedInContext["db"];
}

/** A door's context, with what the door may ask for and nothing else. */
export function contextOf(caller: Caller): SignedInContext {
  const seeds = caller.seeds ?? ring;
  const findTicket = (_: string, id: string): Promise<IssuedTicket | undefined> =>
    Promise.resolve(caller.atDesk?.id === id ? caller.atDesk : undefined);
  const context = {
    db: caller.db ?? drizzle(env.DB),
    nowMs: caller.nowMs ?? NOW_MS,
    requestId: "test",
    logger: nothingLogged,
    gate: (eventId: string) => env.EVENT_GATE.getByName(eventId),
    desk: () => ({ findTicket }),
    principal: {
      tenantId: caller.tenantId,
      userId: caller.userId ?? "steward",
      role: caller.role ?? "door_staff",
      permissions: [],
    },
    credentialKeys: () => importSigningKeys(seeds),
  };
  return context as unknown as SignedInContext; // whatever else is asked for is undefined and fails the test
}

/** A database that fails whoever asks it. */
export const downDb = new Proxy({} as SignedInContext["db"], {
  get() {
    throw new Error("the database was asked");
  },
});

/** A code of this door's event, as the service would issue it now. */
export async function makeCode(
  door: Door,
  changes: Partial<Credential> = {},
  seeds: readonly SigningSeed[] = ring,
): Promise<string> {
  const keys = await importSigningKeys(seeds);
  const bytes = encodeSignedBytes({
    keyId: keys.newest.keyId,
    ticketId: crypto.randomUUID(),
    eventId: door.eventId,
    ticketTypeNumber: door.type.number,
    credentialEpoch: 0,
    issuedAtSeconds: Math.floor(NOW_MS / 1000),
    ...changes,
  });
  return assembleCredential(bytes, await signBytes(keys, bytes));
}

/** Scans a code at the door, with no database within reach. */
export async function scan(
  door: Door,
  qr: string,
  changes: Partial<ScanInput> & { caller?: Partial<Caller> } = {},
): Promise<ScanView> {
  const { caller, ...input } = changes;
  const answer = await scanTicket(contextOf({ tenantId: door.tenantId, db: downDb, ...caller }), {
    qr,
    eventId: door.eventId,
    listId: null,
    type: "entry",
    nonce: null,
    scannedAtMs: null,
    force: false,
    ...input,
  });
  if (!answer.ok) throw new Error(`the scan was not answered: ${answer.failure.code}`);
  return answer.value;
}

/** The text with one character changed. */
export function alter(text: string, index: number): string {
  const other = text.charAt(index) === "A" ? "B" : "A";
  return text.slice(0, index) + other + text.slice(index + 1);
}
