import { ORDER_NUMBER_BLOCKS, orderNumberBlock, type OrderNumberBlock } from "#domain/order-number";
import { assertInvariant } from "#domain/result";

/**
 * Leases the tenant's next block of order numbers, for good: an unused rest is never given back.
 * @param newShuffleKey 16 random bytes as hex, kept with the tenant's first lease.
 * @throws when the tenant's eight digits are used up, or D1 cannot be reached.
 */
export async function leaseOrderNumbers(db: D1Database, tenantId: string, newShuffleKey: string): Promise<OrderNumberBlock> {
  const lease = await db
    .prepare(
      `INSERT INTO order_number_leases (tenant_id, next_block, shuffle_key) VALUES (?, 1, ?)
       ON CONFLICT (tenant_id) DO UPDATE SET next_block = next_block + 1
       RETURNING next_block - 1 AS block, shuffle_key AS shuffleKey`,
    )
    .bind(tenantId, newShuffleKey)
    .first<{ block: number; shuffleKey: string }>();
  assertInvariant(lease !== null, "a lease returns its row");
  assertInvariant(lease.block < ORDER_NUMBER_BLOCKS, "the tenant has order numbers left");
  return orderNumberBlock(lease.shuffleKey, lease.block);
}
