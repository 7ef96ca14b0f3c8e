const DAY_MS = 86_400_000;

/** A card's refund takes up to ten working days; after two weeks a person is called, and every two weeks again. */
const CHECKS_TO_CALL = 14;

/** When a refund that its provider has taken is first asked about, Unix milliseconds: nearly all are done by then. */
export function firstRefundCheckAtMs(createdAtMs: number): number {
  return createdAtMs + DAY_MS;
}

/** When it is asked about again. */
export function nextRefundCheckAtMs(nowMs: number): number {
  return nowMs + DAY_MS;
}

/**
 * True when a person is to be called about a refund that is still on its way.
 * @param checks how often it has been looked at, once a day, this time counted.
 */
export function isRefundOverdue(checks: number): boolean {
  return checks % CHECKS_TO_CALL === 0;
}
