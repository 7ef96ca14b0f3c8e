/** Tickets whose asset is moved outside the service: sold over HTTP, their leaf written as the tree's followers would. */
import { env } from "cloudflare:workers";
import type { AssetChain } from "#chain/asset-mover";
import { climb, emptyNode } from "#domain/merkle-tree";
import { noticeMovedAssets } from "#services/assets/notice-moved-assets";
import type { AssetMoveStatus } from "#domain/statuses";
import type { ServiceContext } from "#services/context";
import { createCronContext } from "../../src/compose.ts";
import { makeAddress } from "./asset-bench.ts";
import { flushDeskOf } from "./open-sale.ts";
import { sellOne, type Handing } from "./pass-on.ts";

/** A minted ticket of a sale with its leaf in a tree of its own. */
export interface Moving extends Handing {
  /** What the followers of the tree write when its leaf changed. */
  readonly moveLeaf: (ownerAddress: string, signature?: string) => Promise<void>;
  /** Writes a move of the asset, behind those that there are. @returns what changes its status. */
  readonly queueMove: (status: AssetMoveStatus, signature?: string) => Promise<(status: AssetMoveStatus) => Promise<void>>;
  readonly readTicket: () => Promise<Record<string, unknown>>;
  /** Whether the leaf's last change waits to be judged. */
  readonly isNews: () => Promise<boolean>;
}

/** Signature of the transaction that minted each ticket. */
export const MINT_SIGNATURE = "the mint";

/** Sells a ticket that is minted to `walletAddress`, or into the service's custody. */
export async function sellMinted(
  walletAddress: string | null = makeAddress(),
  type: Readonly<Record<string, unknown>> = {},
): Promise<Moving> {
  const handing = await sellOne(type);
  const { ticketId, orderId } = handing;
  await flushDeskOf(orderId);
  const [tree, assetId] = [makeAddress(), makeAddress()];
  await env.DB.batch([
    env.DB.prepare("UPDATE tickets SET wallet_address = ? WHERE id = ?").bind(walletAddress, ticketId),
    env.DB.prepare(
      "UPDATE mint_jobs SET status = 'MINTED', asset_id = ?, signature = ?, leaf_index = 0 WHERE ticket_id = ?",
    ).bind(assetId, MINT_SIGNATURE, ticketId),
    env.DB.prepare(
      `INSERT INTO merkle_trees (address, depth, buffer_size, canopy_depth, seq, slot, updated_at_ms) VALUES (?, 3, 8, 0, 1, 1, 1)`,
    ).bind(tree),
  ]);
  let [seq, queuedAtMs] = [0, 0];
  return {
    ...handing,
    async moveLeaf(ownerAddress, signature = `outside ${crypto.randomUUID()}`) {
      seq += 1;
      await env.DB.prepare(
        `INSERT INTO tree_leaves (tree_address, leaf_index, asset_id, owner_address, delegate_address, data_hash, creator_hash,
          collection_hash, asset_data_hash, flags, is_burnt, seq, signature, news_at_ms)
         VALUES (?1, 0, ?2, ?3, ?3, '00', '00', '00', '00', 0, 0, ?4, ?5, 1) ON CONFLICT (tree_address, leaf_index)
         DO UPDATE SET owner_address = ?3, seq = ?4, signature = ?5, news_at_ms = 1`,
      )
        .bind(tree, assetId, ownerAddress, seq, signature)
        .run();
    },
    async queueMove(status, signature) {
      const transferId = crypto.randomUUID();
      queuedAtMs += 1;
      await env.DB.prepare(
        `INSERT INTO asset_moves (transfer_id, tenant_id, ticket_id, status, signature, queued_at_ms) VALUES (?, ?, ?, ?, ?, ?)`,
      )
        .bind(transferId, handing.owner.tenantId, ticketId, status, signature ?? null, queuedAtMs)
        .run();
      return async (next) => {
        await env.DB.prepare("UPDATE asset_moves SET status = ? WHERE transfer_id = ?").bind(next, transferId).run();
      };
    },
    async readTicket() {
      return (await env.DB.prepare("SELECT * FROM tickets WHERE id = ?").bind(ticketId).first()) ?? {};
    },
    async isNews() {
      const leaf = await env.DB.prepare("SELECT news_at_ms FROM tree_leaves WHERE tree_address = ?").bind(tree).first();
      return leaf?.["news_at_ms"] !== null;
    },
  };
}

const LEAF_HASH = new Uint8Array(32).fill(1);
const { root } = climb(LEAF_HASH, [0, 1, 2].map(emptyNode), 0);

/** The chain as the trees of {@link sellMinted} say that it is. */
function followedWhole(chain: AssetChain): AssetChain {
  const state = { seq: 1, root, recent: [{ seq: 1, root, index: 0, path: [] }] };
  return { ...chain, trees: { ...chain.trees, hashLeaf: () => LEAF_HASH, readState: () => Promise.resolve(state) } };
}

/** The cron's job, some minutes from now, with parts of its context replaced. */
export function notice(minutes = 0, change: (ctx: ServiceContext) => Partial<ServiceContext> = () => ({})): Promise<number> {
  const cron = createCronContext(env, Date.now() + minutes * 60_000);
  const ctx = { ...cron, assetChain: async () => followedWhole(await cron.assetChain()) };
  return noticeMovedAssets({ ...ctx, ...change(ctx) });
}
