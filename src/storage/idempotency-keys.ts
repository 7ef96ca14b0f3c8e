import { and, eq, isNull, lt, sql, type SQL } from "drizzle-orm";
import type { DrizzleD1Database } from "drizzle-orm/d1";
import type { Failure } from "#domain/failure";
import type { RequestIdentity } from "#domain/order-messages";
import { assertInvariant } from "#domain/result";
import { idempotencyKeys } from "./schema.ts";

/** How long a key is remembered, in milliseconds. */
const KEPT_FOR_MS = 86_400_000;

/** In the text, not as a parameter: only so may SQLite use the index of the claims alone. */
const IS_CLAIM = sql`is_claim = 1`;

function isClaimOf(requestId: string): SQL | undefined {
  return and(eq(idempotencyKeys.id, requestId), IS_CLAIM);
}

/**
 * `new`: nobody used the key in the last 24 h. `repeated`: the same request did. `reused`: another body did.
 * `claimedAtMs` is when the key was new: another use of it after it was forgotten has another moment.
 */
export interface KeyClaim {
  readonly outcome: "new" | "repeated" | "reused";
  readonly claimedAtMs: number;
}

/**
 * Notes who uses an Idempotency-Key for what, for requests whose effect is D1's own; orders and holds have their desk for it.
 * Of two requests at once exactly one is told `new`, because D1 has one writer.
 */
export async function claimIdempotencyKey(db: DrizzleD1Database, request: RequestIdentity, nowMs: number): Promise<KeyClaim> {
  const { requestId: id, tenantId, userId, route, bodyHash } = request;
  // In one transaction: the cron may forget the key at any moment.
  const [claimed, [known]] = await db.batch([
    db
      .insert(idempotencyKeys)
      .values({ id, tenantId, userId, route, bodyHash, createdAtMs: nowMs, isClaim: true })
      .onConflictDoUpdate({
        target: idempotencyKeys.id,
        targetWhere: IS_CLAIM,
        set: { bodyHash, createdAtMs: nowMs, refusal: null },
        setWhere: lt(idempotencyKeys.createdAtMs, nowMs - KEPT_FOR_MS),
      })
      .returning({ id: idempotencyKeys.id }),
    db
      .select({ bodyHash: idempotencyKeys.bodyHash, claimedAtMs: idempotencyKeys.createdAtMs })
      .from(idempotencyKeys)
      .where(isClaimOf(id)),
  ]);
  assertInvariant(known !== undefined, "a key that was claimed is there");
  if (claimed.length > 0) return { outcome: "new", claimedAtMs: known.claimedAtMs };
  return { outcome: known.bodyHash === bodyHash ? "repeated" : "reused", claimedAtMs: known.claimedAtMs };
}

/** Remembers that a request was refused; the first refusal counts. */
export async function storeRefusal(db: DrizzleD1Database, requestId: string, refusal: Failure): Promise<void> {
  await db
    .update(idempotencyKeys)
    .set({ refusal: JSON.stringify(refusal) })
    .where(and(isClaimOf(requestId), isNull(idempotencyKeys.refusal)));
}

/** The refusal that a request got before. */
export async function findRefusal(db: DrizzleD1Database, requestId: string): Promise<Failure | undefined> {
  const row = await db.select({ refusal: idempotencyKeys.refusal }).from(idempotencyKeys).where(isClaimOf(requestId)).get();
  return typeof row?.refusal === "string" ? (JSON.parse(row.refusal) as Failure) : undefined; // written by storeRefusal
}
