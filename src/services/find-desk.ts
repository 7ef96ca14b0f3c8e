import { deskNumberOf, isDeskOfTenant } from "#domain/ids";
import type { DeskPort } from "#domain/order-messages";
import type { ServiceContext } from "./context.ts";

/** The desk that the id of an order, a hold or a ticket names; undefined for an id that is not of the tenant's desks. */
export function findDesk(ctx: Pick<ServiceContext, "desk">, tenantId: string, id: string): DeskPort | undefined {
  const desk = deskNumberOf(id);
  return isDeskOfTenant(desk, tenantId) ? ctx.desk(desk) : undefined;
}
