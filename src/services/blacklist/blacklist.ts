import type { Principal } from "#domain/principal";
import { findBlacklistRow, listBarredUsers } from "#storage/blacklists";
import { AgedMap } from "../aged-map.ts";
import { attempt } from "../attempt.ts";
import type { ServiceContext, SignedInContext } from "../context.ts";

/** A tenant's blacklist as an isolate remembers it: until when each user is on it, null for good. */
interface RememberedList {
  readonly until: ReadonlyMap<string, number | null>;
  /** False for a list too long to be remembered: whoever is not among these must be looked up. */
  readonly isWhole: boolean;
}

/** Entries that an isolate remembers of one tenant. */
const ENTRIES_REMEMBERED = 5_000;

/**
 * A buyer buys once or twice, so remembering single users would cost each order a look into D1. The whole list is remembered
 * instead: a change made in another isolate is in force here within 3 s (2 s fresh, 1 s while one request reads anew), and while
 * D1 is down the list as it was up to 10 minutes ago.
 */
const lists = new AgedMap<RememberedList>({ maxEntries: 100, freshForMs: 2_000, refreshForMs: 1_000, usableForMs: 600_000 });

/**
 * True when the caller may not buy, by what this isolate remembers. No D1 round trip but one every few seconds. An isolate that
 * never read the tenant's list and cannot read it now lets them buy: a sale does not stop because D1 is down.
 */
export async function isBarredFromBuying(ctx: SignedInContext): Promise<boolean> {
  const { principal, nowMs } = ctx;
  const list = await findList(ctx, principal.tenantId);
  if (list === undefined) return false;
  const until = list.until.get(principal.userId);
  if (until !== undefined) return until === null || until > nowMs;
  return list.isWhole ? false : isListedInD1(ctx, principal);
}

async function isListedInD1(ctx: ServiceContext, { tenantId, userId }: Principal): Promise<boolean> {
  const row = await attempt(findBlacklistRow(ctx.db, tenantId, userId, ctx.nowMs));
  if (!row.ok) ctx.logger.warn("D1 did not answer; a buyer was not looked up in a long blacklist", { tenantId });
  return row.ok && row.value !== undefined;
}

async function findList(ctx: ServiceContext, tenantId: string): Promise<RememberedList | undefined> {
  const known = lists.find(tenantId, ctx.nowMs);
  if (known) return known;
  const { generation } = lists;
  const read = await attempt(listBarredUsers(ctx.db, { tenantId, limit: ENTRIES_REMEMBERED + 1, nowMs: ctx.nowMs }));
  if (!read.ok) {
    ctx.logger.warn("D1 did not answer; an older blacklist is used, or none", { tenantId });
    return lists.findUsable(tenantId, ctx.nowMs);
  }
  const until = new Map(read.value.slice(0, ENTRIES_REMEMBERED).map((row) => [row.userId, row.expiresAtMs]));
  const list = { until, isWhole: read.value.length <= ENTRIES_REMEMBERED };
  // Someone wrote while this was being read: it may be from before.
  if (lists.generation === generation) lists.store(tenantId, list, ctx.nowMs);
  return list;
}

/** Call after a change, so that it is in force in this isolate at once. */
export function forgetBlacklist(tenantId: string): void {
  lists.forget(tenantId);
}
