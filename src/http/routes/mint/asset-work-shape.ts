import { z } from "@hono/zod-openapi";
import { id, presentTime } from "../../schemas.ts";

/** What moves and burns of assets have in common. */
export const assetWork = z.object({
  ticketId: id,
  signature: z.string().nullable(),
  attempts: z.int(),
  lastError: z.string().nullable(),
  queuedAt: z.iso.datetime(),
  updatedAt: z.iso.datetime(),
});

/** The wire form of a piece of work, with what it has beside the times. */
export function presentAssetWork<Work extends { readonly queuedAtMs: number; readonly updatedAtMs: number }>({
  queuedAtMs,
  updatedAtMs,
  ...rest
}: Work): Omit<Work, "queuedAtMs" | "updatedAtMs"> & { queuedAt: string; updatedAt: string } {
  return { ...rest, queuedAt: presentTime(queuedAtMs), updatedAt: presentTime(updatedAtMs) };
}
