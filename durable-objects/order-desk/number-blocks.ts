import { ORDER_NUMBER_BLOCK_SIZE, orderNumberAt, type OrderNumberBlock } from "#domain/order-number";
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
  readonly #lease: LeaseBlock;
  readonly #blocks = new Map<string, OrderNumberBlock[]>();
  readonly #leasing = new Map<string, Promise<OrderNumberBlock>>();

  constructor(store: DeskStore, lease: LeaseBlock) {
    this.#store = store;
    this.#lease = lease;
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

  /** Adds a leased block inside a commit; a block that two callers waited for is added once. */
  add(tenantId: string, block: OrderNumberBlock): void {
    const blocks = this.#blocksOf(tenantId);
    if (blocks.some((known) => known.endIndex === block.endIndex)) return;
    this.#store.saveNumberBlock(tenantId, block);
    blocks.push(block);
  }

  /** True when the tenant's numbers are running low and no lease is under way. */
  isLow(tenantId: string): boolean {
    const left = this.#blocksOf(tenantId).reduce((sum, block) => sum + block.endIndex - block.nextIndex, 0);
    return left < LEASE_AHEAD_AT && !this.#leasing.has(tenantId);
  }

  /** Leases a block; callers at the same time share one lease. */
  lease(tenantId: string): Promise<OrderNumberBlock> {
    const underWay = this.#leasing.get(tenantId);
    if (underWay) return underWay;
    const lease = this.#lease(tenantId).finally(() => this.#leasing.delete(tenantId));
    this.#leasing.set(tenantId, lease);
    return lease;
  }

  #blocksOf(tenantId: string): OrderNumberBlock[] {
    const known = this.#blocks.get(tenantId);
    if (known) return known;
    const stored = this.#store.listNumberBlocks(tenantId);
    this.#blocks.set(tenantId, stored);
    return stored;
  }
}
