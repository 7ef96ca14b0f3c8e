import type { FieldError } from "./failure.ts";

/** Events that are sent to tenants. A type stands here once something writes it. */
export const EVENT_TYPES = [
  "order.paid",
  "ticket.minted",
  "ticket.canceled",
  "ticket.transferred",
  "ticket.held_elsewhere",
  "ticket.claimed",
] as const;
export type EventType = (typeof EVENT_TYPES)[number];

/** Endpoints a tenant may have, disabled ones included. */
export const ENDPOINTS_PER_TENANT = 20;

/** How long the secret before the newest one signs too. */
export const PREVIOUS_SECRET_MS = 86_400_000;

/** Below it, but for 443, stand services that are no web servers, and that a signed POST must not be made to speak to. */
const FIRST_FREE_PORT = 1_024;

const LOOPBACK_HOSTS: readonly string[] = ["localhost", "127.0.0.1", "[::1]"];

/** Names that mean another machine inside each network, or none (RFC 6762, RFC 8375, RFC 6761, and what people use). */
const INNER_SUFFIXES: readonly string[] = [
  "localhost",
  "localdomain",
  "local",
  "internal",
  "intranet",
  "private",
  "lan",
  "home",
  "corp",
  "arpa",
  "onion",
];

/** Why events are not sent to a URL. */
type UrlProblem = Pick<FieldError, "code" | "message">;

/**
 * Says why events may not be sent to `text`, or undefined when they may. What a name resolves to is not asked: a Worker cannot,
 * and the answer may be another one when the event is sent (docs/adr/0018).
 *
 * Only `https`, on its own port or one from 1024 on, with a name of the public DNS. IP addresses are refused all, so that no notation of a private one slips through;
 * the URL parser has turned `127.1`, `0x7f000001` and full-width digits into plain addresses before. A service that itself runs
 * at `http://localhost` is somebody's own machine, and may send to that machine.
 * @param serviceOrigin origin under which the service is reached (`PUBLIC_BASE_URL`); events are not sent there.
 */
export function findUrlProblem(text: string, serviceOrigin: string): UrlProblem | undefined {
  const url = URL.parse(text);
  if (!url || (url.protocol !== "https:" && url.protocol !== "http:"))
    return { code: "not_https", message: "not an https URL" };
  if (url.username !== "" || url.password !== "") {
    return { code: "has_credentials", message: "a user name or password may not stand in the URL" };
  }
  if (url.hash !== "") return { code: "has_fragment", message: "a fragment is never sent" };
  const service = new URL(serviceOrigin);
  if (url.origin === service.origin) return { code: "own_address", message: "the service does not send events to itself" };
  if (LOOPBACK_HOSTS.includes(url.hostname) && isOwnMachine(service)) return undefined;
  if (url.protocol !== "https:") return { code: "not_https", message: "not an https URL" };
  if (url.port !== "" && Number(url.port) < FIRST_FREE_PORT) {
    return { code: "port_not_allowed", message: "the port is neither 443 nor 1024 or above" };
  }
  if (nameOf(url) === nameOf(service)) return { code: "own_address", message: "the service does not send events to itself" };
  return isPublicName(nameOf(url)) ? undefined : { code: "not_public", message: "the host is not a name of the public DNS" };
}

/** A name with a full stop at its end is the same name. */
function nameOf({ hostname }: URL): string {
  return hostname.replace(/\.$/, "");
}

function isOwnMachine(service: URL): boolean {
  return service.protocol === "http:" && LOOPBACK_HOSTS.includes(service.hostname);
}

function isPublicName(hostname: string): boolean {
  const labels = hostname.split(".");
  const last = labels.at(-1) ?? "";
  // The parser takes a host whose last label is a number for an IPv4 address, and brackets stand around IPv6.
  if (labels.length < 2 || labels.includes("") || hostname.startsWith("[") || /^\d+$/.test(last)) return false;
  return !INNER_SUFFIXES.includes(last);
}
