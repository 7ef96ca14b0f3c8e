import { z } from "@hono/zod-openapi";
import { blacklistUser, listBlacklist, unblacklistUser } from "#services/blacklist/change-blacklist";
import { parseCursor } from "#services/page";
import { defineRoute } from "../../route.ts";
import { id, json, longText, pageOf, pageQuery, time } from "../../schemas.ts";
import { respond } from "../../security-headers.ts";
import { blacklistShape, presentEntry } from "./blacklist-shape.ts";

export const postBlacklist = defineRoute({
  method: "post",
  path: "/api/v1/admin/blacklist",
  summary: "Bar a user of the tenant from buying and receiving, or change why and until when",
  who: "O",
  tier: "write",
  body: z.strictObject({ userId: id, reason: longText(500).trim().min(1), expiresAt: time.nullish() }),
  answers: { 201: { description: "The entry in force", schema: blacklistShape } },
  async handle({ ctx, body }) {
    const { userId, reason, expiresAt } = body;
    const entry = await blacklistUser(ctx, { userId, reason, expiresAtMs: expiresAt ?? null });
    return entry.ok ? json(presentEntry(entry.value), 201) : entry.failure;
  },
});

export const getBlacklist = defineRoute({
  method: "get",
  path: "/api/v1/admin/blacklist",
  summary: "The users who may neither buy nor receive now, newest entry first",
  who: "O",
  tier: "read",
  query: pageQuery,
  answers: { 200: { description: "A page of entries", schema: pageOf(blacklistShape) } },
  async handle({ ctx, query }) {
    const after = parseCursor(query.cursor);
    if (!after.ok) return after.failure;
    const page = await listBlacklist(ctx, { limit: query.limit, after: after.value });
    return json({ items: page.items.map(presentEntry), nextCursor: page.nextCursor });
  },
});

export const deleteBlacklist = defineRoute({
  method: "delete",
  path: "/api/v1/admin/blacklist/{userId}",
  summary: "Let a user buy and receive again",
  who: "O",
  tier: "write",
  params: z.object({ userId: id }),
  answers: { 204: { description: "They are off the list" } },
  async handle({ ctx, params }) {
    const removed = await unblacklistUser(ctx, params.userId);
    return removed.ok ? respond(null, 204) : removed.failure;
  },
});
