import type { MintMessage } from "./order-messages.ts";

/** Reads a message's body. @returns undefined when it is no mint message. */
export function parseMintMessage(body: unknown): MintMessage | undefined {
  if (typeof body !== "object" || body === null || !("ticketId" in body) || !("tenantId" in body)) return undefined;
  const { ticketId, tenantId } = body;
  return typeof ticketId === "string" && typeof tenantId === "string" ? { ticketId, tenantId } : undefined;
}

const FIRST_RETRY_SECONDS = 1;
/** Longest wait until a message is delivered again. */
export const LONGEST_RETRY_SECONDS = 60;

/**
 * Seconds until a message is delivered again: 1, 2, 4 … at most 60.
 * @param deliveryCount deliveries so far, 1 or more.
 */
export function decideRetryDelaySeconds(deliveryCount: number): number {
  const doublings = Math.max(0, deliveryCount - 1);
  return Math.min(LONGEST_RETRY_SECONDS, FIRST_RETRY_SECONDS * 2 ** Math.min(doublings, 10));
}
