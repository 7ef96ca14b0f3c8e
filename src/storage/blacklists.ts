import { and, desc, eq, gt, isNull, or, type SQL } from "drizzle-orm";
import type { DrizzleD1Database } from "drizzle-orm/d1";
import { isOlderThan, type PageStart } from "./page-start.ts";
import { userBlacklists } from "./schema.ts";

/** A user of a tenant who may neither buy nor receive, until `expiresAtMs` or, when that is null, until taken off. */
export type BlacklistRow = typeof userBlacklists.$inferSelect;

/** In force at `nowMs`: half-open, so at `expiresAtMs` it is over. */
function isInForce(nowMs: number): SQL | undefined {
  return or(isNull(userBlacklists.expiresAtMs), gt(userBlacklists.expiresAtMs, nowMs));
}

/** Puts a user on the list, or changes why and until when they are on it. */
export async function upsertBlacklistRow(db: DrizzleD1Database, row: BlacklistRow): Promise<void> {
  const { reason, createdBy, createdAtMs, expiresAtMs } = row;
  await db
    .insert(userBlacklists)
    .values(row)
    .onConflictDoUpdate({
      target: [userBlacklists.tenantId, userBlacklists.userId],
      set: { reason, createdBy, createdAtMs, expiresAtMs },
    });
}

/** Takes a user off the list. @returns false when they were not on it. */
export async function deleteBlacklistRow(db: DrizzleD1Database, tenantId: string, userId: string): Promise<boolean> {
  const deleted = await db
    .delete(userBlacklists)
    .where(and(eq(userBlacklists.tenantId, tenantId), eq(userBlacklists.userId, userId)))
    .returning({ userId: userBlacklists.userId });
  return deleted.length > 0;
}

/** The user's entry that is in force at `nowMs`. */
export async function findBlacklistRow(
  db: DrizzleD1Database,
  tenantId: string,
  userId: string,
  nowMs: number,
): Promise<BlacklistRow | undefined> {
  return db
    .select()
    .from(userBlacklists)
    .where(and(eq(userBlacklists.tenantId, tenantId), eq(userBlacklists.userId, userId), isInForce(nowMs)))
    .get();
}

/** Who is on the tenant's list at `nowMs` and until when, newest first, at most `limit`: what a purchase asks, and no reasons. */
export function listBarredUsers(
  db: DrizzleD1Database,
  query: { readonly tenantId: string; readonly limit: number; readonly nowMs: number },
): Promise<Pick<BlacklistRow, "userId" | "expiresAtMs">[]> {
  const { createdAtMs, userId, expiresAtMs, tenantId } = userBlacklists;
  return db
    .select({ userId, expiresAtMs })
    .from(userBlacklists)
    .where(and(eq(tenantId, query.tenantId), isInForce(query.nowMs)))
    .orderBy(desc(createdAtMs), desc(userId))
    .limit(query.limit);
}

/** At most `limit` + 1 of the tenant's entries in force, newest first. */
export function listBlacklistRows(
  db: DrizzleD1Database,
  query: {
    readonly tenantId: string;
    readonly limit: number;
    readonly after: PageStart | undefined;
    readonly nowMs: number;
  },
): Promise<BlacklistRow[]> {
  const { createdAtMs, userId } = userBlacklists;
  const isOnPage = isOlderThan([createdAtMs, userId], query.after);
  return db
    .select()
    .from(userBlacklists)
    .where(and(eq(userBlacklists.tenantId, query.tenantId), isInForce(query.nowMs), isOnPage))
    .orderBy(desc(createdAtMs), desc(userId))
    .limit(query.limit + 1);
}
