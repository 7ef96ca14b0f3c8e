import { capsOf, discountStockName } from "#domain/discount-stock";
import type { DiscountCap } from "#domain/inventory-messages";
import { areCountersWrong, type ReconcilePosition } from "#domain/reconcile";
import { listDiscountRows, repairDiscountCounters, type StoredDiscount } from "#storage/discounts";
import type { SignedInContext } from "../context.ts";

/** Uses of a cap, held by open orders and taken by paid ones. */
interface UseCounters {
  readonly heldCount: number;
  readonly usedCount: number;
}

/** A cap whose counters differed; they were repaired unless `unrepaired` says why not. */
export interface CapDifference {
  readonly discountId: string;
  readonly cap: DiscountCap;
  readonly counters: { readonly before: UseCounters; readonly after: UseCounters } | null;
  /** `no_inventory`: no object answers for the cap. */
  readonly unrepaired: "no_inventory" | null;
}

/** What a page of codes showed. */
interface CheckedCodes {
  readonly differences: readonly CapDifference[];
  readonly callCount: number;
  readonly next: ReconcilePosition | undefined;
}

/** Codes of one page: each has two caps at most, and a page is finished within one step. */
const PAGE_CODES = 50;

/**
 * Compares the counters of a page of the caller's discounts with the inventories of their caps, and makes D1 say the same.
 * D1 is read first and the inventory asked after; what is only on its way to D1 is left alone.
 */
export async function reconcileCodes(
  ctx: SignedInContext,
  { after }: Extract<ReconcilePosition, { phase: "codes" }>,
): Promise<CheckedCodes> {
  const { tenantId } = ctx.principal;
  const rows = await listDiscountRows(ctx.db, { tenantId, limit: PAGE_CODES, after: after ?? undefined });
  const page = rows.slice(0, PAGE_CODES);
  const caps = page.flatMap((stored) => capsOf(stored).map((cap) => ({ stored, cap })));
  const checked = await Promise.all(caps.map(({ stored, cap }) => checkCap(ctx, stored, cap)));
  const last = page.at(-1);
  return {
    differences: checked.filter((difference) => difference !== undefined),
    callCount: 1 + 2 * caps.length,
    next:
      rows.length > PAGE_CODES && last ? { phase: "codes", after: { id: last.id, createdAtMs: last.createdAtMs } } : undefined,
  };
}

async function checkCap(ctx: SignedInContext, stored: StoredDiscount, cap: DiscountCap): Promise<CapDifference | undefined> {
  const { id: discountId, tenantId } = stored;
  const page = await ctx.upkeep.inventory(discountStockName(discountId, cap)).listLines(tenantId, 0, 1);
  if (!page) return { discountId, cap, counters: null, unrepaired: "no_inventory" };
  const { snapshot, isQuiet } = page;
  const before = cap === "uses" ? countersOfUses(stored) : countersOfFirstTickets(stored);
  // The number of uses there are is a term of the discount, which D1 holds and not the inventory.
  const copy = { ...before, soldCount: before.usedCount, quantity: snapshot.capacity };
  if (!areCountersWrong(copy, snapshot, isQuiet)) return undefined;
  if (!(await repairDiscountCounters(ctx.d1, { tenantId, discountId, cap }, before.countersSeq, snapshot))) return undefined;
  const { heldCount, usedCount } = before;
  const after = { heldCount: snapshot.heldCount, usedCount: snapshot.soldCount };
  return { discountId, cap, counters: { before: { heldCount, usedCount }, after }, unrepaired: null };
}

function countersOfUses({ heldCount, usedCount, usesSeq }: StoredDiscount): UseCounters & { readonly countersSeq: number } {
  return { heldCount, usedCount, countersSeq: usesSeq };
}

function countersOfFirstTickets(stored: StoredDiscount): UseCounters & { readonly countersSeq: number } {
  return { heldCount: stored.firstHeldCount, usedCount: stored.firstUsedCount, countersSeq: stored.firstSeq };
}
