import { codeKeyOf, type Discount } from "#domain/discount";
import type { Failure } from "#domain/failure";
import { refuse, succeed, type Result } from "#domain/result";
import { findDiscountsByCode } from "#storage/discounts";
import { AgedMap } from "../aged-map.ts";
import type { SignedInContext } from "../context.ts";

/**
 * Codes as this isolate read them. A change made in another isolate shows here within 2 s, a new code at once: what is not
 * there is asked for each time. A code read within 10 minutes can be used while D1 is down, for the reasons that {@link findCatalog} has: how
 * often a capped one may be used, and that it was taken away, its inventory knows by itself.
 */
const codes = new AgedMap<Discount>({
  maxEntries: 5_000,
  freshForMs: 1_000,
  refreshForMs: 1_000,
  usableForMs: 600_000,
});

function keyOf(tenantId: string, code: string): string {
  return `${tenantId} ${codeKeyOf(code)}`;
}

/** Call after writing a discount, with its code before and after, so that this isolate shows the change at once. */
export function forgetCodes(tenantId: string, changed: readonly string[]): void {
  for (const code of changed) codes.forget(keyOf(tenantId, code));
}

/**
 * The discounts of the caller's tenant under these codes, in the same order. One D1 round trip at most.
 * Refuses `validation_failed` for a code given twice, in whatever case, and `discount_unknown`.
 */
export async function findDiscounts(
  ctx: SignedInContext,
  asked: readonly string[],
): Promise<Result<readonly Discount[], Failure>> {
  if (asked.length === 0) return succeed([]);
  const keys = asked.map(codeKeyOf);
  const repeated = keys.findIndex((key, at) => keys.indexOf(key) !== at);
  if (repeated >= 0) return refuse(repeatedCode(repeated));
  const known = await readCodes(ctx, asked);
  const found: Discount[] = [];
  for (const code of asked) {
    const discount = known.get(codeKeyOf(code));
    if (!discount) return refuse({ code: "discount_unknown", discountCode: code });
    found.push(discount);
  }
  return succeed(found);
}

/** What is known of each code, by its key; read from D1 where this isolate does not know it. */
async function readCodes(ctx: SignedInContext, asked: readonly string[]): Promise<ReadonlyMap<string, Discount>> {
  const { tenantId } = ctx.principal;
  const known = new Map<string, Discount>();
  const missing: string[] = [];
  for (const code of asked) {
    const value = codes.find(keyOf(tenantId, code), ctx.nowMs);
    if (value === undefined) missing.push(code);
    else known.set(codeKeyOf(code), value);
  }
  if (missing.length === 0) return known;
  const { generation } = codes;
  try {
    const rows = await findDiscountsByCode(ctx.db, tenantId, missing);
    for (const row of rows) {
      known.set(codeKeyOf(row.code), row);
      // Someone wrote while this was being read: it may be from before.
      if (codes.generation === generation) codes.store(keyOf(tenantId, row.code), row, ctx.nowMs);
    }
    for (const code of missing) if (!known.has(codeKeyOf(code))) forgetGone(ctx, code);
  } catch (error) {
    for (const code of missing) {
      const stale = codes.findUsable(keyOf(tenantId, code), ctx.nowMs);
      if (stale === undefined) throw error;
      known.set(codeKeyOf(code), stale);
    }
    ctx.logger.warn("D1 did not answer; older discount codes are used", { codes: missing.length });
  }
  return known;
}

/** A code that was taken away in another isolate must not be given to those who ask while nobody's turn is to refresh it. */
function forgetGone(ctx: SignedInContext, code: string): void {
  const key = keyOf(ctx.principal.tenantId, code);
  if (codes.findUsable(key, ctx.nowMs)) codes.forget(key);
}

function repeatedCode(position: number): Failure {
  const message = "each code may be given once; upper and lower case are the same";
  return {
    code: "validation_failed",
    errors: [{ path: `discountCodes.${position}`, code: "duplicate_discount_code", message }],
  };
}
