import { and, desc, eq, inArray, isNull, sql } from "drizzle-orm";
import type { DrizzleD1Database } from "drizzle-orm/d1";
import { codeKeyOf, type Discount } from "#domain/discount";
import type { DiscountCap, InventorySnapshot } from "#domain/inventory-messages";
import { isOlderThan, type PageStart } from "./page-start.ts";
import { discounts, ticketTypes } from "./schema.ts";

type DiscountRow = typeof discounts.$inferSelect;

/** A discount as D1 holds it. Its counters are projections of its inventories and may be a second old. */
export interface StoredDiscount
  extends
    Discount,
    Pick<
      DiscountRow,
      | "heldCount"
      | "usedCount"
      | "usesSeq"
      | "firstHeldCount"
      | "firstUsedCount"
      | "firstSeq"
      | "createdAtMs"
      | "updatedAtMs"
      | "archivedAtMs"
    > {}

/** What a page of a tenant's discounts is asked by; rows start after `after`, newest first. */
export interface DiscountListQuery {
  readonly tenantId: string;
  readonly limit: number;
  readonly after: PageStart | undefined;
}

/** The terms that stand in `rule`. */
type RuleJson = Pick<
  Discount,
  "rule" | "ticketTypeIds" | "minQuantity" | "minSubtotalCents" | "maxUsesUnit" | "maxUsesPerUser"
>;

type StoredTerms = Pick<DiscountRow, "code" | "type" | "rule" | "validFromMs" | "validUntilMs" | "maxUses" | "stackable">;

function toStored(row: DiscountRow): StoredDiscount {
  return { ...row, ...(JSON.parse(row.rule) as RuleJson) }; // written by toTerms
}

function toTerms(discount: Discount): StoredTerms {
  const { code, rule, validFromMs, validUntilMs, maxUses, stackable } = discount;
  const { ticketTypeIds, minQuantity, minSubtotalCents, maxUsesUnit, maxUsesPerUser } = discount;
  const json: RuleJson = { rule, ticketTypeIds, minQuantity, minSubtotalCents, maxUsesUnit, maxUsesPerUser };
  return { code, type: rule.type, rule: JSON.stringify(json), validFromMs, validUntilMs, maxUses, stackable };
}

/** The tenant's discounts under these codes, in whatever case they are written; archived ones are not found. */
export async function findDiscountsByCode(
  db: DrizzleD1Database,
  tenantId: string,
  codes: readonly string[],
): Promise<readonly StoredDiscount[]> {
  const isOne = inArray(sql`upper("code")`, codes.map(codeKeyOf));
  const rows = await db
    .select()
    .from(discounts)
    .where(and(eq(discounts.tenantId, tenantId), isOne, isNull(discounts.archivedAtMs)));
  return rows.map(toStored);
}

/** The tenant's discount, never from a cache; undefined when it is archived, unless `orArchived`. */
export async function findDiscountRow(
  db: DrizzleD1Database,
  tenantId: string,
  discountId: string,
  orArchived = false,
): Promise<StoredDiscount | undefined> {
  const isOpen = orArchived ? undefined : isNull(discounts.archivedAtMs);
  const [row] = await db
    .select()
    .from(discounts)
    .where(and(eq(discounts.id, discountId), eq(discounts.tenantId, tenantId), isOpen));
  return row && toStored(row);
}

/** At most `limit` + 1 of the tenant's discounts, newest first, without archived ones; the one too many says that there is a next page. */
export async function listDiscountRows(db: DrizzleD1Database, query: DiscountListQuery): Promise<readonly StoredDiscount[]> {
  const { tenantId, limit, after } = query;
  const isOnPage = isOlderThan([discounts.createdAtMs, discounts.id], after);
  const rows = await db
    .select()
    .from(discounts)
    .where(and(eq(discounts.tenantId, tenantId), isNull(discounts.archivedAtMs), isOnPage))
    .orderBy(desc(discounts.createdAtMs), desc(discounts.id))
    .limit(limit + 1);
  return rows.map(toStored);
}

/** Stores a new discount. @returns undefined when the tenant has another with this code. */
export async function insertDiscountRow(
  db: DrizzleD1Database,
  discount: Discount,
  nowMs: number,
): Promise<StoredDiscount | undefined> {
  const { id, tenantId } = discount;
  const [row] = await db
    .insert(discounts)
    .values({ id, tenantId, ...toTerms(discount), createdAtMs: nowMs, updatedAtMs: nowMs })
    .onConflictDoNothing()
    .returning();
  return row && toStored(row);
}

/**
 * Changes or archives a discount if nobody else has since `before` was read; `updatedAtMs` tells, and always grows.
 * @returns the discount as it is now; undefined when it has changed meanwhile: read it again and decide anew.
 * @throws D1's constraint error when another discount of the tenant has the new code.
 */
export async function replaceDiscountRow(
  db: DrizzleD1Database,
  before: StoredDiscount,
  change: { readonly terms: Discount; readonly archivedAtMs: number | null },
  nowMs: number,
): Promise<StoredDiscount | undefined> {
  const { id, tenantId, updatedAtMs } = before;
  const isUnchanged = and(eq(discounts.id, id), eq(discounts.tenantId, tenantId), eq(discounts.updatedAtMs, updatedAtMs));
  const [row] = await db
    .update(discounts)
    .set({
      ...toTerms(change.terms),
      archivedAtMs: change.archivedAtMs,
      updatedAtMs: Math.max(nowMs, updatedAtMs + 1),
    })
    .where(isUnchanged)
    .returning();
  return row && toStored(row);
}

/** Which of these ticket types the tenant has. At most 99 ids. */
export async function listKnownTypeIds(
  db: DrizzleD1Database,
  tenantId: string,
  ticketTypeIds: readonly string[],
): Promise<readonly string[]> {
  const rows = await db
    .select({ id: ticketTypes.id })
    .from(ticketTypes)
    .where(and(inArray(ticketTypes.id, [...ticketTypeIds]), eq(ticketTypes.tenantId, tenantId)));
  return rows.map((row) => row.id);
}

const UPDATE_COUNTERS: Readonly<Record<DiscountCap, string>> = {
  uses: `UPDATE discounts SET held_count = ?3, used_count = ?4, uses_seq = ?5 WHERE id = ?1 AND tenant_id = ?2 AND uses_seq < ?5`,
  first_tickets: `UPDATE discounts SET first_held_count = ?3, first_used_count = ?4, first_seq = ?5
    WHERE id = ?1 AND tenant_id = ?2 AND first_seq < ?5`,
};

/**
 * Brings the counters of a discount's inventory to D1, in one round trip, guarded by their number.
 * @returns false when D1 does not have the discount yet: tell it again later.
 */
export async function projectDiscountStock(
  db: D1Database,
  stock: { readonly tenantId: string; readonly discountId: string; readonly cap: DiscountCap },
  snapshot: Pick<InventorySnapshot, "heldCount" | "soldCount" | "seq">,
): Promise<boolean> {
  const { tenantId, discountId, cap } = stock;
  const { heldCount, soldCount, seq } = snapshot;
  const [, found] = await db.batch([
    db.prepare(UPDATE_COUNTERS[cap]).bind(discountId, tenantId, heldCount, soldCount, seq),
    db.prepare("SELECT 1 FROM discounts WHERE id = ?1 AND tenant_id = ?2").bind(discountId, tenantId),
  ]);
  return (found?.results.length ?? 0) > 0;
}

const REPAIR_COUNTERS: Readonly<Record<DiscountCap, string>> = {
  uses: `UPDATE discounts SET held_count = ?3, used_count = ?4, uses_seq = ?5 WHERE id = ?1 AND tenant_id = ?2 AND uses_seq = ?6`,
  first_tickets: `UPDATE discounts SET first_held_count = ?3, first_used_count = ?4, first_seq = ?5
    WHERE id = ?1 AND tenant_id = ?2 AND first_seq = ?6`,
};

/** Puts the counters of a cap right if nobody has since they were read at `storedSeq`. @returns false when somebody has. */
export async function repairDiscountCounters(
  db: D1Database,
  stock: { readonly tenantId: string; readonly discountId: string; readonly cap: DiscountCap },
  storedSeq: number,
  snapshot: Pick<InventorySnapshot, "heldCount" | "soldCount" | "seq">,
): Promise<boolean> {
  const { tenantId, discountId, cap } = stock;
  const { heldCount, soldCount, seq } = snapshot;
  const statement = db.prepare(REPAIR_COUNTERS[cap]).bind(discountId, tenantId, heldCount, soldCount, seq, storedSeq);
  return (await statement.run()).meta.changes > 0;
}
