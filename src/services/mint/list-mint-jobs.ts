import type { MintStatus } from "#domain/statuses";
import { listMintJobsByStatus, type MintJobView } from "#storage/mint-lists";
import type { SignedInContext } from "../context.ts";

/** A page of jobs; `nextCursor` is null on the last. */
export interface MintJobPage {
  readonly items: readonly MintJobView[];
  readonly nextCursor: string | null;
}

/**
 * The tenant's mint jobs in one status, by ticket id.
 * @param input.cursor the ticket id after which the page starts, as the page before gave it.
 */
export async function listMintJobs(
  ctx: Pick<SignedInContext, "db" | "principal">,
  input: { readonly status: MintStatus; readonly limit: number; readonly cursor: string | null },
): Promise<MintJobPage> {
  const { tenantId } = ctx.principal;
  const { status, limit } = input;
  const found = await listMintJobsByStatus(ctx.db, { tenantId, status, afterTicketId: input.cursor ?? "", limit: limit + 1 });
  const items = found.slice(0, limit);
  return { items, nextCursor: found.length > limit ? (items.at(-1)?.ticketId ?? null) : null };
}
