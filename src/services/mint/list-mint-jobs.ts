import type { MintStatus } from "#domain/statuses";
import { listMintJobsByStatus, type MintJobView } from "#storage/mint-lists";
import type { SignedInContext } from "../context.ts";
import { pageOfRows, type Page, type PageRequest } from "../page.ts";

/** The tenant's mint jobs in one status, the longest waiting first. */
export async function listMintJobs(
  ctx: Pick<SignedInContext, "db" | "principal">,
  status: MintStatus,
  page: PageRequest,
): Promise<Page<MintJobView>> {
  const rows = await listMintJobsByStatus(ctx.db, { tenantId: ctx.principal.tenantId, status, ...page });
  return pageOfRows(rows, page.limit, ({ queuedAtMs, ticketId }) => ({ createdAtMs: queuedAtMs, id: ticketId }));
}
