import { z } from "@hono/zod-openapi";
import { generateCode } from "#services/door/generate-code";
import { respond } from "../../security-headers.ts";
import { defineRoute } from "../../route.ts";
import { id, json, presentTime } from "../../schemas.ts";

/** True when the caller wants the picture itself, as an `<img>` does. */
function wantsPicture(request: Request): boolean {
  const accept = request.headers.get("accept") ?? "";
  return accept.includes("image/svg+xml") && !accept.includes("application/json");
}

/** The holder's code, as JSON or as a picture. */
export const showCode = defineRoute({
  method: "get",
  path: "/api/v1/qr/{ticketId}/generate",
  summary: "Issues a fresh code for the ticket's owner to show, good for at most 30 seconds.",
  who: "A",
  tier: "read",
  params: z.object({ ticketId: id }),
  answers: {
    200: {
      description: "The code; with `Accept: image/svg+xml` its picture alone.",
      schema: z.object({ qr: z.string(), expiresAt: z.iso.datetime(), svg: z.string() }).openapi("Code"),
    },
  },
  async handle({ ctx, params, request }) {
    const answer = await generateCode(ctx, params.ticketId);
    if (!answer.ok) return answer.failure;
    const { qr, svg, expiresAtMs } = answer.value;
    if (!wantsPicture(request)) return json({ qr, expiresAt: presentTime(expiresAtMs), svg }, 200, { vary: "accept" });
    return respond(svg, 200, { "content-type": "image/svg+xml", "cache-control": "no-store", vary: "accept" });
  },
});
