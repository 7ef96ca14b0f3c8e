import { listTenantTrees, type TenantTree } from "#storage/tenant-trees";
import type { SignedInContext } from "../context.ts";

/** A tree as operators see it. Times are Unix milliseconds. */
export type TreeView = Omit<TenantTree, "tenantId" | "requestId" | "updatedAtMs">;

/** The tenant's trees, the first first. */
export async function listTrees(ctx: Pick<SignedInContext, "db" | "principal">): Promise<TreeView[]> {
  return (await listTenantTrees(ctx.db, ctx.principal.tenantId)).map(toTreeView);
}

/** What operators see of a tree. */
export function toTreeView({ tenantId: _tenant, requestId: _request, updatedAtMs: _updated, ...view }: TenantTree): TreeView {
  return view;
}
