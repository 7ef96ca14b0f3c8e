import { deskNumberOf } from "#domain/ids";
import { findTenantOfOrder, findTenantOfTicket } from "#storage/tenants-of";
import type { ServiceContext } from "../context.ts";

/** In which table D1 keeps the tenant of a thing. */
const STORED = { order: findTenantOfOrder, ticket: findTenantOfTicket } as const;

/**
 * Whose order or ticket this is, for a caller that belongs to no tenant: its desk, which the id names, knows it first, and D1
 * keeps it for good. Undefined when neither has it.
 */
export async function findTenant(
  ctx: Pick<ServiceContext, "db" | "desk">,
  kind: keyof typeof STORED,
  id: string,
): Promise<string | undefined> {
  return (await ctx.desk(deskNumberOf(id)).findTenantOf(id)) ?? STORED[kind](ctx.db, id);
}
