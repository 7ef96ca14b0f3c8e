import { z } from "@hono/zod-openapi";
import { id, presentOptionalTime, presentTime } from "../../schemas.ts";

/** Someone who may neither buy nor receive. */
export const blacklistShape = z
  .object({
    userId: id,
    reason: z.string(),
    createdBy: id,
    createdAt: z.iso.datetime(),
    expiresAt: z.iso.datetime().nullable(),
  })
  .openapi("BlacklistEntry");

/** The entry's wire form. */
export function presentEntry(entry: {
  readonly userId: string;
  readonly reason: string;
  readonly createdBy: string;
  readonly createdAtMs: number;
  readonly expiresAtMs: number | null;
}): z.input<typeof blacklistShape> {
  const { userId, reason, createdBy, createdAtMs, expiresAtMs } = entry;
  return { userId, reason, createdBy, createdAt: presentTime(createdAtMs), expiresAt: presentOptionalTime(expiresAtMs) };
}
