import { z } from "@hono/zod-openapi";
import { withdrawTransfer } from "#services/transfer/withdraw-transfer";
import { defineRoute, type Route } from "../../route.ts";
import { id, json } from "../../schemas.ts";
import { presentTransfer, transferShape } from "./transfer-shape.ts";

function withdrawalRoute(verb: string, status: "CANCELLED" | "DECLINED", summary: string): Route {
  return defineRoute({
    method: "post",
    path: `/api/v1/transfer/{id}/${verb}`,
    summary,
    who: "A",
    tier: "write",
    params: z.object({ id }),
    answers: { 200: { description: "The offer that has ended; the ticket stays where it was", schema: transferShape } },
    async handle({ ctx, params }) {
      const ended = await withdrawTransfer(ctx, params.id, status);
      return ended.ok ? json(presentTransfer(ended.value)) : ended.failure;
    },
  });
}

/** Turning an offer down. */
export const decline = withdrawalRoute("decline", "DECLINED", "Decline an offer made to the caller");

/** Taking an offer back. */
export const cancelOffer = withdrawalRoute("cancel", "CANCELLED", "Take back an own offer that is still open");
