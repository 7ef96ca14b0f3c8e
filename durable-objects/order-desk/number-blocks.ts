import { ORDER_NUMBER_BLOCK_SIZE, orderNumberAt, type OrderNumberBlock } from "#domain/order-number";
import type { Logger } from "#platform/logger";
import type { Commit } from "./commit.ts";
import type { DeskStore } from "./desk-store.ts";

/** Leases a whole block of order numbers that nobody else has or will have. */
export type LeaseBlock = (tenantId: string) => Promise<OrderNumberBlock>;

/** When fewer numbers than this are left, the next block is leased ahead, so that a sale does not wait for D1. */
const LEASE_AHEAD_AT = ORDER_NUMBER_BLOCK_SIZE / 2;

/**
 * The order numbers a desk holds. The blocks in memory are a copy of the stored ones: a number is used in the commit of its
 * order, so a crash may skip numbers and never repeats one.
 */
export class NumberBlocks {
  readonly #store: DeskStore;
  readonly #commit: Commit;
  readonly #lease: LeaseBlock;
  readonly #logger: Logger;
  readonly #blocks = new Map<string, OrderNumberBlock[]>();
  readonly #leasing = new Map<string, Promise<void>>();

  constructor(store: DeskStore, commit: Commit, reach: { readonly leaseBlock: LeaseBlock; readonly logger: Logger }) {
    this.#store = store;
    this.#commit = commit;
    this.#lease = reach.leaseBlock;
    this.#logger = reach.logger;
  }

  /** Forgets the copies in memory, after a rollback. */
  reload(): void {
    this.#blocks.clear();
  }

  /** Takes the next number inside a commit; undefined when a block must be leased first. */
  take(tenantId: string): string | undefined {
    const blocks = this.#blocksOf(tenantId);
    const [block] = blocks;
    if (!block) return undefined;
    const used = { ...block, nextIndex: block.nextIndex + 1 };
    this.#store.saveNumberBlock(tenantId, used);
    if (used.nextIndex >= used.endIndex) blocks.shift();
    else blocks[0] = used;
    return orderNumberAt(block.shuffleKey, block.nextIndex);
  }

  /** True when the tenant's numbers are running low and no lease is under way. */
  isLow(tenantId: string): boolean {
    const left = this.#blocksOf(tenantId).reduce((sum, block) => sum + block.endIndex - block.nextIndex, 0);
    return left < LEASE_AHEAD_AT && !this.#leasing.has(tenantId);
  }

  /**
   * Leases a block and stores it. Callers at the same time share one lease, and the block is stored once for all of them: a
   * caller that stored it again after it was used up would give its numbers out twice.
   */
  lease(tenantId: string): Promise<void> {
    const underWay = this.#leasing.get(tenantId);
    if (underWay) return underWay;
    const lease = this.#leaseAndStore(tenantId).finally(() => this.#leasing.delete(tenantId));
    this.#leasing.set(tenantId, lease);
    return lease;
  }

  /** Leases ahead of need. If D1 is down now, the next order tries again. */
  async leaseAhead(tenantId: string): Promise<void> {
    try {
      await this.lease(tenantId);
    } catch (error) {
      this.#logger.warn("order numbers could not be leased ahead", { error });
    }
  }

  async #leaseAndStore(tenantId: string): Promise<void> {
    const block = await this.#lease(tenantId);
    await this.#commit(() => {
      this.#blocksOf(tenantId).push(block);
      this.#store.saveNumberBlock(tenantId, block);
    });
  }

  #blocksOf(tenantId: string): OrderNumberBlock[] {
    const known = this.#blocks.get(tenantId);
    if (known) return known;
    const stored = this.#store.listNumberBlocks(tenantId);
    this.#blocks.set(tenantId, stored);
    return stored;
  }
}
