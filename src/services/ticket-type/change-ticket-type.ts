import type { Failure } from "#domain/failure";
import type { InventorySnapshot } from "#domain/inventory-messages";
import { refuse, succeed, type Result } from "#domain/result";
import { findTicketTypeRow, replaceTicketTypeRow, type TicketTypeFields, type TicketTypeRow } from "#storage/ticket-types";
import { KEEPS_CHANGING, MOST_ATTEMPTS } from "../concurrent-changes.ts";
import type { SignedInContext } from "../context.ts";
import { forgetCatalog } from "./catalog.ts";
import { forgetStock, rememberStock } from "./stock-cache.ts";
import { toInventoryConfig } from "./ticket-type-rules.ts";

/** A ticket type as it shall be. `quantity` undefined keeps the capacity that the inventory has. */
export interface TicketTypeChange {
  readonly fields: TicketTypeFields & Pick<TicketTypeRow, "status">;
  readonly quantity: number | undefined;
}

/** A changed type with its stock. */
export interface ChangedTicketType {
  readonly row: TicketTypeRow;
  readonly stock: InventorySnapshot;
}

/**
 * Changes a type of the caller's tenant: first at the inventory, which alone can refuse a capacity, then in D1.
 *
 * Two organisers at once: D1 takes a change only on top of the row it was made from, and whoever comes second decides anew on
 * what the first one left, inventory included. So inventory and D1 end alike, and nobody puts an archived type back on sale by
 * an update that was under way. A failure between the two leaves the inventory ahead; the same request again repairs it.
 * Refuses `not_found`, what `decide` refuses, `capacity_below_committed`, and `overloaded` when the type changed under every attempt.
 */
export async function changeTicketType(
  ctx: SignedInContext,
  ticketTypeId: string,
  decide: (row: TicketTypeRow) => Result<TicketTypeChange, Failure>,
): Promise<Result<ChangedTicketType, Failure>> {
  for (let attempt = 0; attempt < MOST_ATTEMPTS; attempt += 1) {
    const before = await findTicketTypeRow(ctx.db, ctx.principal.tenantId, ticketTypeId);
    if (!before) return refuse({ code: "not_found", what: "ticket type" });
    const decided = decide(before);
    if (!decided.ok) return decided;
    const { fields } = decided.value;
    const quantity = decided.value.quantity ?? (await findCapacity(ctx, before));
    const configured = await ctx.inventory(ticketTypeId).configure(toInventoryConfig({ ...before, ...fields }, quantity));
    if (!configured.ok) return configured;
    forgetStock([ticketTypeId]);
    const row = await replaceTicketTypeRow(ctx.db, before, fields, ctx.nowMs);
    forgetCatalog(before.eventId);
    if (!row) continue;
    rememberStock([{ ticketTypeId, snapshot: configured.snapshot }]);
    return succeed({ row, stock: configured.snapshot });
  }
  return KEEPS_CHANGING;
}

/** D1's quantity may be a second old; an update of the name must not put a capacity back that was changed just before. */
async function findCapacity(ctx: SignedInContext, row: TicketTypeRow): Promise<number> {
  return (await ctx.inventory(row.id).snapshot())?.capacity ?? row.quantity;
}
