import type { WebhookEndpointRow } from "#storage/webhook-endpoints";

/** An endpoint as its tenant sees it, never with a secret. Times are Unix milliseconds. */
export interface EndpointView {
  readonly id: string;
  readonly url: string;
  readonly description: string | null;
  /** Empty: all. */
  readonly eventTypes: readonly string[];
  readonly status: "ACTIVE" | "DISABLED";
  readonly failingSinceMs: number | null;
  readonly disabledAtMs: number | null;
  readonly createdAtMs: number;
}

/** An endpoint with a secret that was just made, shown this once. */
export interface EndpointWithSecret extends EndpointView {
  readonly secret: string;
}

/** What a tenant sees of a stored endpoint. */
export function viewEndpoint(row: Omit<WebhookEndpointRow, "sealedSecret" | "previousSealedSecret">): EndpointView {
  const { id, url, description, eventTypes, failingSinceMs, createdAtMs } = row;
  const isActive = row.status === "ACTIVE";
  return {
    id,
    url,
    description,
    eventTypes,
    status: isActive ? "ACTIVE" : "DISABLED",
    failingSinceMs,
    disabledAtMs: isActive ? null : row.endedAtMs,
    createdAtMs,
  };
}
