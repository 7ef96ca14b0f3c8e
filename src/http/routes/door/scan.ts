import { z } from "@hono/zod-openapi";
import { scanTicket } from "#services/door/scan-ticket";
import { defineRoute, type Route } from "../../route.ts";
import { id, json, time } from "../../schemas.ts";
import { listId, presentScan, qr, scanShape } from "./scan-shape.ts";

const scanBody = z.strictObject({
  qr,
  eventId: id,
  listId: listId.optional(),
  type: z.enum(["entry", "exit"]),
  nonce: z
    .string()
    .regex(/^[\x21-\x7e]{1,128}$/, "not 1 to 128 printable ASCII characters without spaces")
    .optional()
    .openapi({ description: "A new random UUID for each scan; the same one again gives the first answer." }),
  scannedAt: time.optional().openapi({ description: "By the device's clock. Recorded, never believed." }),
  force: z.boolean().optional(),
});

function scanRoute(path: string): Route {
  return defineRoute({
    method: "post",
    path,
    summary: "Scans a code: lets the holder in or out, once, and records it.",
    who: "D",
    tier: "scan",
    body: scanBody,
    answers: { 200: { description: "The scan was answered, refusals included.", schema: scanShape } },
    async handle({ ctx, body }) {
      const answer = await scanTicket(ctx, {
        qr: body.qr,
        eventId: body.eventId,
        listId: body.listId ?? null,
        type: body.type,
        nonce: body.nonce ?? null,
        scannedAtMs: body.scannedAt ?? null,
        force: body.force ?? false,
      });
      return answer.ok ? json(presentScan(answer.value)) : answer.failure;
    },
  });
}

/** The scan. */
export const scan = scanRoute("/api/v1/validation/scan");

/** The scan under its older name. */
export const validateQr = scanRoute("/api/v1/tickets/validate-qr");
