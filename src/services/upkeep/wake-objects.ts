import { discountStockName } from "#domain/discount-stock";
import { deskNumberOf, deskNumbersOfTenant } from "#domain/ids";
import { idsInTurn } from "#domain/turns";
import type { UpkeepPort } from "#domain/upkeep-messages";
import { listCappedBetween, listStaleOrderIds, listTypesBetween, listTypesWithStaleHolds } from "#storage/stale";
import type { ServiceContext } from "../context.ts";

/** What an object that works has told D1 after this time. */
const STALE_AFTER_MS = 60_000;
/** Objects woken by one job; those left over come in the next minute. */
const WOKEN_A_RUN = 100;
/** Ticket types woken in one turn, and desks beside them: an invocation may make about 1,000 calls. */
const TYPES_A_TURN = 150;
const DESKS_A_TURN = 150;
const CODES_A_TURN = 100;
/** An event's objects are woken in turn until so long after its end: refunds and late payments come behind. */
const WOKEN_AFTER_END_MS = 30 * 86_400_000;

/** Wakes inventories whose holds read as held although their time is over. @returns how many. */
export async function wakeStaleInventories(ctx: ServiceContext): Promise<number> {
  const typeIds = await listTypesWithStaleHolds(ctx.d1, ctx.nowMs - STALE_AFTER_MS);
  return wakeAll(typeIds.slice(0, WOKEN_A_RUN).map((id) => ctx.upkeep.inventory(id)));
}

/** Wakes desks with unpaid orders past their hold, or refunds nobody was asked for: the desk sees to them itself. @returns how many. */
export async function wakeStaleDesks(ctx: ServiceContext): Promise<number> {
  const orderIds = await listStaleOrderIds(ctx.d1, ctx.nowMs - STALE_AFTER_MS);
  const desks = [...new Set(orderIds.map(deskNumberOf))];
  return wakeAll(desks.slice(0, WOKEN_A_RUN).map((number) => ctx.upkeep.desk(number)));
}

/**
 * Wakes a sixtieth of all inventories, with their gates and their tenants' desks, whatever D1 says: an object that lost its
 * alarm before it told D1 anything looks like one that has nothing to tell. @returns how many.
 */
export async function wakeInTurn(ctx: ServiceContext): Promise<number> {
  const range = { ...idsInTurn(ctx.nowMs), endsAfterMs: ctx.nowMs - WOKEN_AFTER_END_MS, limit: TYPES_A_TURN };
  const types = await listTypesBetween(ctx.d1, range);
  const eventIds = [...new Set(types.map((type) => type.eventId))];
  const tenantIds = [...new Set(types.map((type) => type.tenantId))];
  const desks = tenantIds.flatMap((tenantId) => deskNumbersOfTenant(tenantId, ctx.desksPerTenant)).slice(0, DESKS_A_TURN);
  return wakeAll([
    ...types.map((type) => ctx.upkeep.inventory(type.ticketTypeId)),
    ...eventIds.map((eventId) => ctx.upkeep.gate(eventId)),
    ...desks.map((number) => ctx.upkeep.desk(number)),
  ]);
}

/** Wakes a sixtieth of the inventories of capped discounts, as {@link wakeInTurn} does those of ticket types. @returns how many. */
export async function wakeCodesInTurn(ctx: ServiceContext): Promise<number> {
  const range = { ...idsInTurn(ctx.nowMs), archivedAfterMs: ctx.nowMs - WOKEN_AFTER_END_MS, limit: CODES_A_TURN };
  const capped = await listCappedBetween(ctx.d1, range);
  const stockNames = capped.flatMap(({ id, caps }) => caps.map((cap) => discountStockName(id, cap)));
  return wakeAll(stockNames.map((stockName) => ctx.upkeep.inventory(stockName)));
}

/** One that cannot be woken keeps none of the others asleep. @throws when some could not, after all were called. */
async function wakeAll(objects: readonly UpkeepPort[]): Promise<number> {
  const woken = await Promise.allSettled(objects.map((object) => object.wake()));
  const failed = woken.filter((outcome) => outcome.status === "rejected");
  if (failed.length > 0)
    throw new Error(`${failed.length} of ${woken.length} objects could not be woken`, { cause: failed[0]?.reason });
  return woken.length;
}
