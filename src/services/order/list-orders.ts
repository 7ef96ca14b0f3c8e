import { deskNumberFor } from "#domain/ids";
import { raise } from "#domain/order";
import type { OrderView } from "#domain/order-messages";
import { hasRole } from "#domain/principal";
import { listOrderRows } from "#storage/orders";
import { attempt } from "../attempt.ts";
import type { SignedInContext } from "../context.ts";
import { mergeNewest, pageOfRecent, type Page, type PageRequest } from "../page.ts";

/**
 * The caller's own orders, newest first; for venue managers and above, those of the whole tenant. What the caller's desk knows
 * is merged in, so an own order just placed is there and in its last state; orders of others may be a second old. While D1 is
 * down a buyer's desk answers alone, for as far back as it knows.
 * @throws what D1 throws when the page asked for is older than what the desk knows.
 */
export async function listOrders(ctx: SignedInContext, page: PageRequest): Promise<Page<OrderView>> {
  const { tenantId, userId } = ctx.principal;
  const desk = ctx.desk(deskNumberFor(tenantId, userId, ctx.desksPerTenant));
  const seesAll = hasRole(ctx.principal, "venue_manager");
  const [stored, recent] = await Promise.all([
    attempt(listOrderRows(ctx.db, { tenantId, userId: seesAll ? null : userId, ...page, nowMs: ctx.nowMs })),
    desk.listRecentOrders(tenantId, userId),
  ]);
  if (stored.ok) return mergeNewest(stored.value, recent, page, (known, row) => raise(known, row.status));
  const known = seesAll ? undefined : pageOfRecent(recent, page);
  if (!known) throw stored.failure;
  ctx.logger.warn("D1 is down, a desk listed orders alone", { error: stored.failure });
  return known;
}
