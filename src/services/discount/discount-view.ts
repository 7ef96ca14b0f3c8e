import { fieldsOf, type DiscountFields } from "#domain/discount-fields";
import type { StoredDiscount } from "#storage/discounts";

/** A discount with what is held and used of its caps; `first…` counts an early bird's first tickets. Times are Unix milliseconds. */
export interface DiscountView {
  readonly id: string;
  readonly fields: DiscountFields;
  readonly heldCount: number;
  readonly usedCount: number;
  readonly firstHeldCount: number;
  readonly firstUsedCount: number;
  readonly createdAtMs: number;
}

/** A stored discount as its organiser reads it. */
export function toDiscountView(stored: StoredDiscount): DiscountView {
  const { id, heldCount, usedCount, firstHeldCount, firstUsedCount, createdAtMs } = stored;
  return { id, fields: fieldsOf(stored), heldCount, usedCount, firstHeldCount, firstUsedCount, createdAtMs };
}
