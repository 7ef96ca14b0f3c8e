import { judgeLookupTable, judgeTree } from "#domain/chain-suitability";
import type { Failure, FieldError } from "#domain/failure";
import { deriveIdWithin } from "#domain/ids";
import type { RequestIdentity } from "#domain/order-messages";
import { refuse, succeed, type Result } from "#domain/result";
import { capacityOf, chooseTreeShape } from "#domain/tree-shape";
import { claimIdempotencyKey } from "#storage/idempotency-keys";
import {
  findNextTree,
  findTree,
  findTreeOfRequest,
  insertTenantTree,
  storeLookupTable,
  type TenantTree,
} from "#storage/tenant-trees";
import { KEEPS_CHANGING, MOST_ATTEMPTS } from "../concurrent-changes.ts";
import type { SignedInContext } from "../context.ts";
import { requestTree } from "./choose-tree.ts";
import { reachChain } from "./reach-chain.ts";

/** Trees of a tenant that wait for their turn, up to which the wallet makes another: it pays for every tenant's mints. */
const MOST_TREES_WAITING = 20;

/** What an operator wants of a tree: a new one, which the minting wallet makes and pays, or one that exists. */
export interface TreeRequest {
  /** Tickets that are to find room in it. */
  readonly ticketCount: number;
  /** Base58 address of a tree that its owner has made; null has the service make one. */
  readonly address: string | null;
  /** Base58 address of that tree's lookup table; null when it has none. A table that the service makes itself comes by itself. */
  readonly lookupTableAddress: string | null;
}

/** The tree, and whether the same request came before. */
export interface AnsweredTreeRequest {
  readonly tree: TenantTree;
  readonly replayed: boolean;
}

/**
 * Adds a tree to those that the tenant's tickets are minted into. One that exists is first checked on chain; one that does not is
 * only written down here, and made by the queue `chain-jobs`. Refuses `chain_account_unsuitable`, `chain_unavailable`,
 * `validation_failed` for a new one while many wait, `idempotency_key_reused`, and `overloaded` when others took its number under every attempt.
 */
export async function addTree(
  ctx: SignedInContext,
  input: { readonly request: RequestIdentity; readonly wanted: TreeRequest },
): Promise<Result<AnsweredTreeRequest, Failure>> {
  const { outcome, claimedAtMs } = await claimIdempotencyKey(ctx.db, input.request, ctx.nowMs);
  if (outcome === "reused") return refuse({ code: "idempotency_key_reused" });
  const replayed = outcome === "repeated";
  // Trees stay for longer than keys: one made under the same key days ago is of another request.
  const requestId = deriveIdWithin(input.request.requestId, ["tree", String(claimedAtMs)]);
  const known = await findTreeOfRequest(ctx.db, requestId);
  if (known !== undefined) return succeed({ tree: known, replayed });
  const added = await (input.wanted.address === null
    ? makeTree(ctx, requestId, input.wanted.ticketCount)
    : registerTree(ctx, requestId, { ...input.wanted, address: input.wanted.address }));
  return added.ok ? succeed({ tree: added.value, replayed }) : added;
}

async function makeTree(ctx: SignedInContext, requestId: string, ticketCount: number): Promise<Result<TenantTree, Failure>> {
  const { tenantId } = ctx.principal;
  const treeKeeper = await ctx.treeKeeper();
  for (let tries = 0; tries < MOST_ATTEMPTS; tries += 1) {
    const { number, waitingCount } = await findNextTree(ctx.db, tenantId);
    if (waitingCount >= MOST_TREES_WAITING) return refuse(tooManyTrees());
    await requestTree({ ...ctx, treeKeeper }, { tenantId, number, shape: chooseTreeShape(ticketCount), requestId });
    const made = await findTreeOfRequest(ctx.db, requestId);
    if (made === undefined) continue;
    await ctx.chainQueue.send({ address: made.address });
    return succeed(made);
  }
  return KEEPS_CHANGING;
}

async function registerTree(
  ctx: SignedInContext,
  requestId: string,
  { address, lookupTableAddress, ticketCount }: TreeRequest & { readonly address: string },
): Promise<Result<TenantTree, Failure>> {
  const { tenantId } = ctx.principal;
  const known = await findTree(ctx.db, address);
  if (known !== undefined) return known.tenantId === tenantId ? nameLookupTable(ctx, known, lookupTableAddress) : refuseTaken();
  const keeper = await ctx.treeKeeper();
  // It is everybody's who has no tree of their own.
  if (address === keeper.defaultTreeAddress) return refuseTaken();
  const inspected = await reachChain(ctx.logger, () => keeper.inspectTree(address));
  if (!inspected.ok) return inspected;
  const found = inspected.value;
  const table = await judgeTableOf(ctx, address, lookupTableAddress);
  if (!table.ok) return table;
  const errors = [...judgeTree(found, { walletAddress: keeper.walletAddress, ticketCount }), ...table.value];
  if (errors.length > 0 || typeof found === "string") return refuse({ code: "chain_account_unsuitable", errors });
  const { depth, bufferSize, canopyDepth, mintedCount } = found;
  const tree = {
    address,
    tenantId,
    depth,
    bufferSize,
    canopyDepth,
    capacity: capacityOf(found),
    mintedCount,
    requestId,
    lookupTableAddress,
  };
  for (let tries = 0; tries < MOST_ATTEMPTS; tries += 1) {
    const { number } = await findNextTree(ctx.db, tenantId);
    await insertTenantTree(ctx.db, { ...tree, number, status: "OPEN" }, ctx.nowMs);
    const made = await findTree(ctx.db, address);
    if (made !== undefined) return made.tenantId === tenantId ? succeed(made) : refuseTaken();
  }
  return KEEPS_CHANGING;
}

/** Names the table of a tree that the tenant has already. */
async function nameLookupTable(
  ctx: SignedInContext,
  tree: TenantTree,
  lookupTableAddress: string | null,
): Promise<Result<TenantTree, Failure>> {
  if (lookupTableAddress === null || lookupTableAddress === tree.lookupTableAddress) return succeed(tree);
  const judged = await judgeTableOf(ctx, tree.address, lookupTableAddress);
  if (!judged.ok) return judged;
  if (judged.value.length > 0) return refuse({ code: "chain_account_unsuitable", errors: judged.value });
  await storeLookupTable(ctx.db, tree.address, lookupTableAddress, ctx.nowMs);
  return succeed({ ...tree, lookupTableAddress });
}

async function judgeTableOf(
  ctx: SignedInContext,
  treeAddress: string,
  lookupTableAddress: string | null,
): Promise<Result<FieldError[], Failure>> {
  if (lookupTableAddress === null) return succeed([]);
  const keeper = await ctx.treeKeeper();
  const inspected = await reachChain(ctx.logger, () => keeper.inspectLookupTable(lookupTableAddress, treeAddress));
  return inspected.ok ? succeed(judgeLookupTable(inspected.value, "lookupTableAddress")) : inspected;
}

function refuseTaken(): Result<never, Failure> {
  const message = "This tree is in use already.";
  return refuse({ code: "chain_account_unsuitable", errors: [{ path: "address", code: "in_use", message }] });
}

function tooManyTrees(): Failure {
  const message = `no more are made while ${MOST_TREES_WAITING} trees wait for their turn`;
  return { code: "validation_failed", errors: [{ path: "expectedTickets", code: "too_many_trees", message }] };
}
