import { deriveId, deskNumberFor, hashParts } from "#domain/ids";
import type { RequestIdentity } from "#domain/order-messages";
import type { Stage } from "./stage.ts";

/** Who asks for what, under a new key. */
export function makeRequest(stage: Stage, userId: string, route: string, body: unknown): RequestIdentity {
  const { tenantId, desksPerTenant, world } = stage;
  const desk = deskNumberFor(tenantId, userId, desksPerTenant);
  const requestId = deriveId(desk, ["request", tenantId, userId, route, world.random.hex(16)]);
  return { tenantId, userId, requestId, route, bodyHash: hashParts([JSON.stringify(body)]) };
}
