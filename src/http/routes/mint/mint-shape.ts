import { z } from "@hono/zod-openapi";
import { MINT_STATUSES } from "#domain/statuses";
import type { MintJobView } from "#services/mint/find-mint";
import { id, presentOptionalTime, presentTime } from "../../schemas.ts";

/** A mint job as people see it. */
export const mintShape = z
  .object({
    ticketId: id,
    status: z.enum(MINT_STATUSES),
    signature: z.string().nullable(),
    assetId: z.string().nullable(),
    leafIndex: z.int().nullable(),
    attempts: z.int(),
    lastError: z.string().nullable(),
    queuedAt: z.iso.datetime(),
    mintedAt: z.iso.datetime().nullable(),
  })
  .openapi("MintJob");

/** The job's wire form. */
export function presentMint(job: MintJobView): z.input<typeof mintShape> {
  const { queuedAtMs, mintedAtMs, ...rest } = job;
  return { ...rest, queuedAt: presentTime(queuedAtMs), mintedAt: presentOptionalTime(mintedAtMs) };
}
