import type { Failure } from "#domain/failure";
import { raise } from "#domain/order";
import type { OrderView } from "#domain/order-messages";
import { hasRole, type Principal } from "#domain/principal";
import { refuse, succeed, type Result } from "#domain/result";
import { findOrderRow } from "#storage/orders";
import { attempt } from "../attempt.ts";
import type { ServiceContext, SignedInContext } from "../context.ts";
import { findDesk } from "../find-desk.ts";

/** An order of the tenant that the principal may see: their own, or any for a venue manager and above. */
export function maySee(principal: Principal, resource: { readonly tenantId: string; readonly userId: string }): boolean {
  if (resource.tenantId !== principal.tenantId) return false;
  return resource.userId === principal.userId || hasRole(principal, "venue_manager");
}

/** The order as the caller may see it, exact at once. Anything else is `not_found`, so that nobody learns what exists. */
export async function findOrder(ctx: SignedInContext, orderId: string): Promise<Result<OrderView, Failure>> {
  const order = await readOrder(ctx, ctx.principal.tenantId, orderId);
  return order && maySee(ctx.principal, order) ? succeed(order) : refuse({ code: "not_found", what: "order" });
}

/**
 * The order from its desk, which knows it first, and from D1, which keeps it for good and hears from the mint first: the
 * state of higher rank counts. A D1 that is down is no reason not to answer a buyer whose order the desk still has.
 */
export async function readOrder(ctx: ServiceContext, tenantId: string, orderId: string): Promise<OrderView | undefined> {
  const desk = findDesk(ctx, tenantId, orderId);
  const [atDesk, inD1] = await Promise.all([
    desk ? attempt(desk.findOrder(tenantId, orderId)) : succeed(undefined),
    attempt(findOrderRow(ctx.db, tenantId, orderId, ctx.nowMs)),
  ]);
  const known = atDesk.ok ? atDesk.value : undefined;
  const row = inD1.ok ? inD1.value : undefined;
  if (known && row) return raise(known, row.status);
  if (known ?? row) return known ?? row;
  if (!atDesk.ok) throw atDesk.failure;
  if (!inD1.ok) throw inD1.failure;
  return undefined;
}
