import { z } from "@hono/zod-openapi";
import { receiveWebhook } from "#services/payment/receive-webhook";
import { readBytes } from "../../middleware/read-body.ts";
import { defineRoute } from "../../route.ts";
import { json } from "../../schemas.ts";

export const paymentWebhook = defineRoute({
  method: "post",
  path: "/api/v1/webhooks/payments/{provider}",
  summary: "A payment provider's signed event",
  who: "S",
  tier: "none",
  params: z.object({ provider: z.string().max(64) }),
  answers: {
    200: { description: "Recorded, known already, or of no use here", schema: z.object({ received: z.literal(true) }) },
  },
  async handle({ ctx, params, request }) {
    const rawBody = await readBytes(request);
    if (!rawBody.ok) return rawBody.failure;
    const received = await receiveWebhook(ctx, { provider: params.provider, rawBody: rawBody.value, headers: request.headers });
    return received.ok ? json({ received: true }) : received.failure;
  },
});
