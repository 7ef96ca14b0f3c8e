import { createHash } from "node:crypto";
import type { SetupOptions } from "./setup-options.ts";

/** An event as its collections show it. */
export interface NamedEvent {
  readonly eventId: string;
  readonly name: string;
  readonly uri: string;
}

/** Accounts that are ready to be minted into. */
export interface ReadyAccounts {
  readonly treeAddress: string;
  readonly lookupTableAddress: string;
  readonly ticketCount: number;
  readonly collections: readonly {
    readonly eventId: string;
    readonly collectionAddress: string;
    readonly frozenCollectionAddress: string;
  }[];
}

interface Call {
  readonly method: "POST" | "PUT";
  readonly path: string;
  readonly body: unknown;
  readonly headers: Readonly<Record<string, string>>;
}

/** Asks the service what an event is called. @throws when it has no such event. */
export async function findEvent(serviceUrl: string, eventId: string): Promise<NamedEvent> {
  const uri = `${serviceUrl}/api/v1/events/${eventId}`;
  const response = await fetch(uri);
  if (!response.ok) throw new Error(`${uri} answers ${response.status}: is the event there?`);
  const { name } = (await response.json()) as { name: string }; // the service's own contract
  return { eventId, name, uri };
}

/** Tells the service of the accounts, or prints the calls for whoever has an admin's token. */
export async function registerAccounts(
  { serviceUrl, adminToken }: Pick<SetupOptions, "serviceUrl" | "adminToken">,
  accounts: ReadyAccounts,
): Promise<void> {
  for (const call of listCalls(accounts)) {
    if (serviceUrl === null || adminToken === null) console.log(`\n${describeCall(serviceUrl ?? "$api", call)}`);
    else await send(serviceUrl, adminToken, call);
  }
}

function listCalls({ treeAddress, lookupTableAddress, ticketCount, collections }: ReadyAccounts): Call[] {
  // A repeat of the same command is the same request.
  const key = createHash("sha256").update(`${treeAddress} ${lookupTableAddress} ${ticketCount}`).digest("hex").slice(0, 32);
  return [
    {
      method: "POST",
      path: "/admin/chain/trees",
      body: { address: treeAddress, lookupTableAddress, expectedTickets: ticketCount },
      headers: { "idempotency-key": key },
    },
    ...collections.map(({ eventId, ...addresses }): Call => {
      return { method: "PUT", path: `/admin/chain/events/${eventId}/collections`, body: addresses, headers: {} };
    }),
  ];
}

function describeCall(api: string, { method, path, body, headers }: Call): string {
  const sent = { authorization: "Bearer $ADMIN_TOKEN", "content-type": "application/json", ...headers };
  const flags = Object.entries(sent).map(([name, value]) => `-H "${name}: ${value}"`);
  return `curl -s -X ${method} ${api}${path} ${flags.join(" ")} -d '${JSON.stringify(body)}'`;
}

async function send(serviceUrl: string, token: string, { method, path, body, headers }: Call): Promise<void> {
  const sent = { authorization: `Bearer ${token}`, "content-type": "application/json", ...headers };
  const response = await fetch(`${serviceUrl}${path}`, { method, headers: sent, body: JSON.stringify(body) });
  const answer = await response.text();
  if (!response.ok) throw new Error(`${method} ${path} answers ${response.status}: ${answer}`);
  console.log(`told the service: ${method} ${path}`);
}
