import { judgeCollection } from "#domain/chain-suitability";
import type { Failure, FieldError } from "#domain/failure";
import { refuse, succeed, type Result } from "#domain/result";
import { findEventRow, listForeignCollections, storeCollections } from "#storage/events";
import type { SignedInContext } from "../context.ts";
import { reachChain } from "./reach-chain.ts";

/** The collections of an event; null leaves what there is. */
export interface EventCollections {
  readonly collectionAddress: string | null;
  readonly frozenCollectionAddress: string | null;
}

/**
 * Names the collections that an event's tickets join, after a look at them on chain, and at whose they are. Tickets that were minted
 * before stay in the collection they have. Refuses `not_found`, `chain_account_unsuitable` and `chain_unavailable`.
 */
export async function setCollections(
  ctx: SignedInContext,
  eventId: string,
  wanted: EventCollections,
): Promise<Result<EventCollections, Failure>> {
  const { tenantId } = ctx.principal;
  const event = await findEventRow(ctx.db, tenantId, eventId);
  if (event === undefined) return refuse({ code: "not_found", what: "event" });
  const keeper = await ctx.treeKeeper();
  const judged = await reachChain(ctx.logger, async () => {
    const asked = [
      { address: wanted.collectionAddress, isFrozen: false, path: "collectionAddress" },
      { address: wanted.frozenCollectionAddress, isFrozen: true, path: "frozenCollectionAddress" },
    ];
    const errors = await Promise.all(
      asked.map(async ({ address, isFrozen, path }) => {
        if (address === null) return [];
        const { walletAddress } = keeper;
        return judgeCollection(await keeper.inspectCollection(address), { walletAddress, isFrozen, path });
      }),
    );
    return errors.flat();
  });
  if (!judged.ok) return judged;
  const errors = judged.value.length > 0 ? judged.value : await listTaken(ctx, wanted);
  if (errors.length > 0) return refuse({ code: "chain_account_unsuitable", errors });
  const stored: EventCollections = {
    collectionAddress: wanted.collectionAddress ?? event.collectionAddress,
    frozenCollectionAddress: wanted.frozenCollectionAddress ?? event.frozenCollectionAddress,
  };
  await storeCollections(ctx.db, { id: eventId, tenantId }, stored, ctx.nowMs);
  return succeed(stored);
}

/** The minting wallet may add to every tenant's collections, so the chain does not tell whose one is. */
async function listTaken(ctx: SignedInContext, wanted: EventCollections): Promise<FieldError[]> {
  const named = (["collectionAddress", "frozenCollectionAddress"] as const).flatMap((path) => {
    const address = wanted[path];
    return address === null ? [] : [{ path, address }];
  });
  const addresses = named.map(({ address }) => address);
  const foreign = await listForeignCollections(ctx.db, ctx.principal.tenantId, addresses);
  return named
    .filter(({ address }) => foreign.includes(address))
    .map(({ path }) => ({ path, code: "in_use", message: "This collection is in use already." }));
}
