import type { Failure } from "#domain/failure";
import { refuse, succeed, type Result } from "#domain/result";
import { PREVIOUS_SECRET_MS } from "#domain/webhook-endpoint";
import { generateEndpointSecret } from "#platform/webhook-sender";
import { activateEndpoint, endEndpoint, findEndpointRow, listEndpointRows, replaceSecret } from "#storage/webhook-endpoints";
import { attempt } from "../attempt.ts";
import type { SignedInContext } from "../context.ts";
import { pageOfRows, type Page, type PageRequest } from "../page.ts";
import { openSecrets, sealSecrets } from "./endpoint-secrets.ts";
import { viewEndpoint, type EndpointView, type EndpointWithSecret } from "./endpoint-view.ts";

const NOT_FOUND: Failure = { code: "not_found", what: "webhook endpoint" };

/** The tenant's endpoints, the oldest first. */
export async function listEndpoints(ctx: SignedInContext, page: PageRequest): Promise<Page<EndpointView>> {
  const rows = await listEndpointRows(ctx.db, { tenantId: ctx.principal.tenantId, ...page });
  const { items, nextCursor } = pageOfRows(rows, page.limit, ({ createdAtMs, id }) => ({ createdAtMs, id }));
  return { items: items.map(viewEndpoint), nextCursor };
}

/** Ends an endpoint for good: no attempt begins after the answer. Refuses `not_found`. */
export async function deleteEndpoint(ctx: SignedInContext, id: string): Promise<Result<undefined, Failure>> {
  const isDeleted = await endEndpoint(ctx.db, { tenantId: ctx.principal.tenantId, id }, ctx.nowMs);
  return isDeleted ? succeed(undefined) : refuse(NOT_FOUND);
}

/**
 * Gives an endpoint a new secret, in the answer and never shown again. The one before signs beside it for 24 h, so that
 * the receiver may change over in its own time; of three, the oldest is gone at once. Refuses `not_found`, and
 * `request_in_flight` when another call did the same at this moment.
 */
export async function rotateSecret(ctx: SignedInContext, id: string): Promise<Result<EndpointWithSecret, Failure>> {
  const known = await findEndpointRow(ctx.db, ctx.principal.tenantId, id);
  if (!known) return refuse(NOT_FOUND);
  const keys = await ctx.sealingKeys();
  const before = await openSecrets(keys, known, ctx.nowMs);
  const secret = generateEndpointSecret();
  const previous = before && { secret: before.newest, untilMs: ctx.nowMs + PREVIOUS_SECRET_MS };
  const replaced = await replaceSecret(ctx.db, known, await sealSecrets(keys, id, { newest: secret, previous }));
  return replaced ? succeed({ ...viewEndpoint(replaced), secret }) : refuse({ code: "request_in_flight" });
}

/** Sends to a disabled endpoint again, beginning with what waited when it was disabled. Refuses `not_found`. */
export async function enableEndpoint(ctx: SignedInContext, id: string): Promise<Result<EndpointView, Failure>> {
  const enabled = await activateEndpoint(ctx.db, { tenantId: ctx.principal.tenantId, id });
  if (!enabled) return refuse(NOT_FOUND);
  // Lost, the cron begins with it within a minute.
  await attempt(ctx.eventQueue.send({ endpointId: id }));
  return succeed(viewEndpoint(enabled));
}
