import { z } from "@hono/zod-openapi";
import { findNftImage } from "#services/mint/nft-metadata";
import { defineRoute } from "../../route.ts";
import { id } from "../../schemas.ts";
import { respond } from "../../security-headers.ts";

/** Wallets and galleries show it from their own pages; opened by itself it may run and load nothing. */
const HEADERS = {
  "content-type": "image/svg+xml; charset=utf-8",
  "content-security-policy": "default-src 'none'; sandbox; frame-ancestors 'none'",
  "cache-control": "public, max-age=300, stale-while-revalidate=86400",
  "access-control-allow-origin": "*",
  "cross-origin-resource-policy": "cross-origin",
} as const;

export const nftImage = defineRoute({
  method: "get",
  path: "/nft/{ticketId}/image",
  summary: "The picture of a ticket, as its metadata names it; no personal data",
  who: "P",
  tier: "read",
  params: z.object({ ticketId: id }),
  answers: { 200: { description: "An SVG", contentType: "image/svg+xml" } },
  async handle({ ctx, params }) {
    const image = await findNftImage(ctx, params.ticketId);
    return image.ok ? respond(image.value, 200, HEADERS) : image.failure;
  },
});
