import type { InventorySnapshot } from "#domain/inventory-messages";
import type { StockNews } from "#domain/order-messages";
import { readClockMs } from "#platform/clock";
import { AgedMap } from "../aged-map.ts";
import type { ServiceContext } from "../context.ts";

/**
 * Stock figures for reading only, at most half a second old, so that a crowd looking at one ticket type does not queue at its
 * inventory. Nothing is decided on them: whoever buys is answered by the inventory itself.
 */
const snapshots = new AgedMap<InventorySnapshot>({ maxEntries: 10_000, freshForMs: 250, refreshForMs: 250, usableForMs: 500 });

/**
 * The stock of a ticket type, from this isolate's memory or from its inventory; undefined for a type never configured.
 * A hold that runs out counts as held for up to half a second longer.
 */
export async function findStock(ctx: ServiceContext, ticketTypeId: string): Promise<InventorySnapshot | undefined> {
  const known = snapshots.find(ticketTypeId, ctx.nowMs);
  if (known) return known;
  const { generation } = snapshots;
  const snapshot = await ctx.inventory(ticketTypeId).snapshot();
  // Something was given back meanwhile: these figures may be from before.
  if (snapshot && snapshots.generation === generation) rememberStock([{ ticketTypeId, snapshot }]);
  return snapshot;
}

/** Keeps figures that came along with another answer, unless newer ones are known. */
export function rememberStock(stock: StockNews): void {
  const nowMs = readClockMs();
  for (const { ticketTypeId, snapshot } of stock) {
    const known = snapshots.findUsable(ticketTypeId, nowMs);
    if (!known || isNewer(snapshot, known)) snapshots.store(ticketTypeId, snapshot, nowMs);
  }
}

/** Drops what is known of these types, because their stock has changed by an unknown amount. */
export function forgetStock(ticketTypeIds: readonly string[]): void {
  for (const ticketTypeId of ticketTypeIds) snapshots.forget(ticketTypeId);
}

/** Holds expire without a change being numbered, so at the same number the later look is the newer one. */
function isNewer(snapshot: InventorySnapshot, known: InventorySnapshot): boolean {
  return snapshot.seq > known.seq || (snapshot.seq === known.seq && snapshot.takenAtMs >= known.takenAtMs);
}
