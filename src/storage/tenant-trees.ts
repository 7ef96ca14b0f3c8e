import { and, asc, eq, inArray, lt, max, sql, type SQL } from "drizzle-orm";
import type { DrizzleD1Database } from "drizzle-orm/d1";
import type { TreeShape } from "#domain/tree-shape";
import { tenantTrees } from "./schema.ts";

/** A tree of a tenant. Times are Unix milliseconds. */
export type TenantTree = typeof tenantTrees.$inferSelect;

/** A tree as it is first written down. */
export interface NewTenantTree extends TreeShape {
  readonly address: string;
  readonly tenantId: string;
  readonly number: number;
  readonly capacity: number;
  readonly mintedCount: number;
  readonly status: "OPENING" | "OPEN";
  readonly requestId: string | null;
  /** Its lookup table, where it has one already. */
  readonly lookupTableAddress?: string | null;
}

const LONGEST_ERROR = 500;
/** More than a tenant ever needs; a list of them is not paged. */
const MOST_TREES_SHOWN = 100;

/** The tenant's trees, the first first. */
export async function listTenantTrees(db: DrizzleD1Database, tenantId: string): Promise<TenantTree[]> {
  return db
    .select()
    .from(tenantTrees)
    .where(eq(tenantTrees.tenantId, tenantId))
    .orderBy(asc(tenantTrees.number))
    .limit(MOST_TREES_SHOWN);
}

/** A tree of whatever tenant. */
export async function findTree(db: DrizzleD1Database, address: string): Promise<TenantTree | undefined> {
  return db.select().from(tenantTrees).where(eq(tenantTrees.address, address)).get();
}

/** The tree that a request asked for. */
export async function findTreeOfRequest(db: DrizzleD1Database, requestId: string): Promise<TenantTree | undefined> {
  return db.select().from(tenantTrees).where(eq(tenantTrees.requestId, requestId)).get();
}

/** The tree that the tenant's tickets are minted into. */
export async function findActiveTree(db: DrizzleD1Database, tenantId: string): Promise<TenantTree | undefined> {
  return db
    .select()
    .from(tenantTrees)
    .where(and(eq(tenantTrees.tenantId, tenantId), sql`${tenantTrees.status} = 'ACTIVE'`))
    .get();
}

/**
 * The number of the tenant's next tree, and how many wait for their turn, in one look: who then finds the number free has counted right.
 * Two that ask at once get the same, and one of them finds the row there.
 */
export async function findNextTree(
  db: DrizzleD1Database,
  tenantId: string,
): Promise<{ readonly number: number; readonly waitingCount: number }> {
  const [row] = await db
    .select({
      last: max(tenantTrees.number),
      waitingCount: sql<number>`count(*) FILTER (WHERE ${tenantTrees.status} IN ('OPENING', 'OPEN'))`,
    })
    .from(tenantTrees)
    .where(eq(tenantTrees.tenantId, tenantId));
  return { number: (row?.last ?? 0) + 1, waitingCount: row?.waitingCount ?? 0 };
}

/** Writes a tree down, which takes effect at once when it is open and the tenant has none in use. @returns false when its address or number is taken. */
export async function insertTenantTree(db: DrizzleD1Database, tree: NewTenantTree, nowMs: number): Promise<boolean> {
  const values = { ...tree, lastError: null, createdAtMs: nowMs, updatedAtMs: nowMs };
  const [inserted] = await db.batch([
    db.insert(tenantTrees).values(values).onConflictDoNothing().returning({ address: tenantTrees.address }),
    activateNext(db, tree.tenantId, nowMs),
  ]);
  return inserted.length === 1;
}

/** Notes that a tree that was being made is on chain. Repeats change nothing. */
export async function storeTreeOpened(
  db: DrizzleD1Database,
  tree: Pick<TenantTree, "address" | "tenantId">,
  nowMs: number,
): Promise<void> {
  await db.batch([
    db
      .update(tenantTrees)
      .set({ status: "OPEN", lastError: null, updatedAtMs: nowMs })
      .where(and(eq(tenantTrees.address, tree.address), eq(tenantTrees.status, "OPENING"))),
    activateNext(db, tree.tenantId, nowMs),
  ]);
}

/** Notes a tree's lookup table, which its next mints use. Repeats change nothing. */
export async function storeLookupTable(
  db: DrizzleD1Database,
  address: string,
  lookupTableAddress: string,
  nowMs: number,
): Promise<void> {
  await db.update(tenantTrees).set({ lookupTableAddress, updatedAtMs: nowMs }).where(eq(tenantTrees.address, address));
}

/** Notes for people why a tree is not on chain yet. */
export async function storeTreeError(db: DrizzleD1Database, address: string, error: string, nowMs: number): Promise<void> {
  await db
    .update(tenantTrees)
    .set({ lastError: error.slice(0, LONGEST_ERROR), updatedAtMs: nowMs })
    .where(and(eq(tenantTrees.address, address), eq(tenantTrees.status, "OPENING")));
}

/**
 * Takes a tree out of use and the tenant's next open one into use, in one transaction. Changes nothing when another is in use
 * already; without a next one the tenant has none in use.
 */
export async function retireTree(
  db: DrizzleD1Database,
  tree: Pick<TenantTree, "address" | "tenantId">,
  nowMs: number,
): Promise<void> {
  await db.batch([
    db
      .update(tenantTrees)
      .set({ status: "FULL", updatedAtMs: nowMs })
      .where(and(eq(tenantTrees.address, tree.address), inArray(tenantTrees.status, ["ACTIVE", "OPEN"]))),
    activateNext(db, tree.tenantId, nowMs),
  ]);
}

/** Takes the open tree of the lowest number into use when none is. */
function activateNext(db: DrizzleD1Database, tenantId: string, nowMs: number) {
  const next = sql`(SELECT address FROM ${tenantTrees} AS waiting WHERE waiting.tenant_id = ${tenantId} AND waiting.status = 'OPEN'
    ORDER BY waiting.number LIMIT 1)`;
  const active = sql`SELECT 1 FROM ${tenantTrees} AS used WHERE used.tenant_id = ${tenantId} AND used.status = 'ACTIVE'`;
  return db
    .update(tenantTrees)
    .set({ status: "ACTIVE", updatedAtMs: nowMs })
    .where(sql`${tenantTrees.address} = ${next} AND NOT EXISTS (${active})`);
}

/** Raises the count of leaves that are known to be taken; it never goes down, so repeats and late news do no harm. */
export function raiseMintedCount(db: DrizzleD1Database, address: string, mintedCount: number) {
  return db
    .update(tenantTrees)
    .set({ mintedCount: sql`min(${mintedCount}, ${tenantTrees.capacity})` })
    .where(and(eq(tenantTrees.address, address), lt(tenantTrees.mintedCount, mintedCount)));
}

/** Trees that are still being made and that nobody has touched since `beforeMs`, of any tenant. */
export async function listOpeningTrees(db: DrizzleD1Database, beforeMs: number, limit: number): Promise<TenantTree[]> {
  // The status stands in the text, not in a parameter: only so may SQLite use the index of these trees alone.
  return db
    .select()
    .from(tenantTrees)
    .where(sql`${tenantTrees.status} = 'OPENING' AND ${tenantTrees.updatedAtMs} < ${beforeMs}`)
    .orderBy(asc(tenantTrees.updatedAtMs))
    .limit(limit);
}

/** Trees in use that are four fifths full while their tenant has no other to go on with, of any tenant. */
export async function listFillingTrees(db: DrizzleD1Database, limit: number): Promise<TenantTree[]> {
  const successor: SQL = sql`SELECT 1 FROM ${tenantTrees} AS other WHERE other.tenant_id = ${tenantTrees.tenantId}
    AND other.number > ${tenantTrees.number} AND other.status IN ('OPENING', 'OPEN')`;
  return db
    .select()
    .from(tenantTrees)
    .where(
      sql`${tenantTrees.status} = 'ACTIVE' AND ${tenantTrees.mintedCount} * 5 >= ${tenantTrees.capacity} * 4
        AND ${tenantTrees.tenantId} > '' AND NOT EXISTS (${successor})`,
    )
    .limit(limit);
}
