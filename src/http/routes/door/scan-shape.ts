import { z } from "@hono/zod-openapi";
import { SCAN_REASONS } from "#domain/gate-messages";
import type { ScanView } from "#services/door/scan-view";
import { id, presentOptionalTime } from "../../schemas.ts";

/** Text of a scanned code. Anything is answered, up to a length no QR code reaches; what is not ours is `invalid`. */
export const qr = z.string().max(4_096).openapi({ description: "The scanned text." });

/** Names what is counted by itself: an area, a day. */
export const listId = z.string().regex(/^[\x21-\x7e]{1,64}$/, "not 1 to 64 printable ASCII characters without spaces");

/** The answer to a scan, as the contract has it. */
export const scanShape = z
  .object({
    result: z.enum(["admitted", "refused"]),
    reason: z.enum(SCAN_REASONS).nullable(),
    message: z.string(),
    ticket: z.object({ id, ticketTypeId: id, ticketTypeName: z.string() }).nullable(),
    admittedAt: z.iso.datetime().nullable(),
    firstAdmittedAt: z.iso.datetime().nullable(),
    entryCount: z.int().min(0),
    receipt: z.string().nullable().openapi({ description: "Compact JWS over the answer; null for a preview." }),
  })
  .openapi("Scan");

/** A scan's answer with its times as the contract writes them. */
export function presentScan(view: ScanView): z.infer<typeof scanShape> {
  const { admittedAtMs, firstAdmittedAtMs, ...rest } = view;
  return { ...rest, admittedAt: presentOptionalTime(admittedAtMs), firstAdmittedAt: presentOptionalTime(firstAdmittedAtMs) };
}
