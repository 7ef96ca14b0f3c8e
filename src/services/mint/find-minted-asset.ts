import type { Failure } from "#domain/failure";
import { succeed, type Result } from "#domain/result";
import { explorerUrlOf } from "#domain/solana-cluster";
import { findAssetOnChain, type AssetOnChain } from "#storage/tree-index";
import type { SignedInContext } from "../context.ts";
import { findMint, type MintJobView } from "./find-mint.ts";

/** A mint job with what is known of its asset. */
export interface MintedAssetView extends MintJobView {
  /** As the tree's last followed change left it; undefined while none is known. */
  readonly onChain: AssetOnChain | undefined;
  /** Of the transaction that minted it, once there is one. */
  readonly explorerUrl: string | null;
}

/** The mint state of a ticket as `findMint` finds it, and where its asset is. */
export async function findMintedAsset(ctx: SignedInContext, ticketId: string): Promise<Result<MintedAssetView, Failure>> {
  const job = await findMint(ctx, ticketId);
  if (!job.ok) return job;
  const { assetId, signature } = job.value;
  return succeed({
    ...job.value,
    onChain: assetId === null ? undefined : await findAssetOnChain(ctx.db, assetId),
    explorerUrl: signature === null ? null : explorerUrlOf(signature, ctx),
  });
}
