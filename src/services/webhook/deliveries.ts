import type { Failure } from "#domain/failure";
import { refuse, succeed, type Result } from "#domain/result";
import { listDeliveryRows, makeDeliveryDue, type WebhookDeliveryRow } from "#storage/webhook-deliveries";
import { findEndpointRow } from "#storage/webhook-endpoints";
import { attempt } from "../attempt.ts";
import type { SignedInContext } from "../context.ts";
import { pageOfRows, type Page, type PageRequest } from "../page.ts";

/** An event on its way to an endpoint, as its tenant sees it. Times are Unix milliseconds. */
export type DeliveryView = Omit<WebhookDeliveryRow, "tenantId" | "body" | "failures">;

/** What was sent to an endpoint or is to be, newest first. Refuses `not_found` when the tenant has no such endpoint. */
export async function listDeliveries(
  ctx: SignedInContext,
  endpointId: string,
  page: PageRequest,
): Promise<Result<Page<DeliveryView>, Failure>> {
  const { tenantId } = ctx.principal;
  if (!(await findEndpointRow(ctx.db, tenantId, endpointId))) return refuse({ code: "not_found", what: "webhook endpoint" });
  const rows = await listDeliveryRows(ctx.db, { tenantId, endpointId, ...page });
  return succeed(pageOfRows(rows, page.limit, ({ createdAtMs, id }) => ({ createdAtMs, id })));
}

/**
 * Sends an event to an endpoint once more, under the same `webhook-id`, whatever became of it; if in vain, its pauses begin anew.
 * Refuses `not_found`, and `webhook_endpoint_disabled`, because nothing would be sent.
 */
export async function replayDelivery(
  ctx: SignedInContext,
  endpointId: string,
  deliveryId: string,
): Promise<Result<DeliveryView, Failure>> {
  const { tenantId } = ctx.principal;
  const endpoint = await findEndpointRow(ctx.db, tenantId, endpointId);
  if (!endpoint) return refuse({ code: "not_found", what: "webhook endpoint" });
  if (endpoint.status !== "ACTIVE") return refuse({ code: "webhook_endpoint_disabled" });
  const delivery = await makeDeliveryDue(ctx.d1, { tenantId, endpointId, id: deliveryId }, ctx.nowMs);
  if (!delivery) return refuse({ code: "not_found", what: "delivery" });
  // Lost, the cron sends it within a minute.
  await attempt(ctx.eventQueue.send({ endpointId }));
  return succeed(delivery);
}
