import { z } from "@hono/zod-openapi";
import { parseCursor } from "#services/page";
import { listTicketHistory, listTransfers } from "#services/transfer/list-transfers";
import { defineRoute } from "../../route.ts";
import { id, json, pageOf, pageQuery } from "../../schemas.ts";
import { presentTransfer, transferShape } from "./transfer-shape.ts";

export const listOwnTransfers = defineRoute({
  method: "get",
  path: "/api/v1/transfer",
  summary: "The offers that the caller made and got, newest first",
  who: "A",
  tier: "read",
  query: pageQuery,
  answers: { 200: { description: "A page of offers", schema: pageOf(transferShape) } },
  async handle({ ctx, query }) {
    const after = parseCursor(query.cursor);
    if (!after.ok) return after.failure;
    const page = await listTransfers(ctx, { limit: query.limit, after: after.value });
    return json({ items: page.items.map(presentTransfer), nextCursor: page.nextCursor });
  },
});

export const getTransferHistory = defineRoute({
  method: "get",
  path: "/api/v1/transfer/{ticketId}/history",
  summary: "A ticket's owners, newest offer first: all for its owner and venue managers, in part for past parties",
  who: "A",
  tier: "read",
  params: z.object({ ticketId: id }),
  query: pageQuery,
  answers: { 200: { description: "A page of offers", schema: pageOf(transferShape) } },
  async handle({ ctx, params, query }) {
    const after = parseCursor(query.cursor);
    if (!after.ok) return after.failure;
    const page = await listTicketHistory(ctx, params.ticketId, { limit: query.limit, after: after.value });
    if (!page.ok) return page.failure;
    return json({ items: page.value.items.map(presentTransfer), nextCursor: page.value.nextCursor });
  },
});
