import { z } from "@hono/zod-openapi";
import { parseCursor } from "#services/page";
import { deleteEndpoint, enableEndpoint, listEndpoints, rotateSecret } from "#services/webhook/change-endpoint";
import { createEndpoint } from "#services/webhook/create-endpoint";
import { defineRoute } from "../../route.ts";
import { id, json, pageOf, pageQuery } from "../../schemas.ts";
import { respond } from "../../security-headers.ts";
import { endpointShape, endpointWithSecretShape, newEndpointBody, presentEndpoint } from "./endpoint-shape.ts";

const params = z.object({ id });

export const postEndpoint = defineRoute({
  method: "post",
  path: "/api/v1/webhook-endpoints",
  summary: "Have the tenant's events sent to a URL from now on, signed as Standard Webhooks with the secret in the answer",
  who: "O",
  tier: "write",
  body: newEndpointBody,
  answers: { 201: { description: "The new endpoint, with its secret", schema: endpointWithSecretShape } },
  async handle({ ctx, body: { url, description, eventTypes } }) {
    const created = await createEndpoint(ctx, { url, description: description ?? null, eventTypes });
    if (!created.ok) return created.failure;
    return json({ ...presentEndpoint(created.value), secret: created.value.secret }, 201);
  },
});

export const getEndpoints = defineRoute({
  method: "get",
  path: "/api/v1/webhook-endpoints",
  summary: "Where the tenant's events are sent, the oldest first",
  who: "O",
  tier: "read",
  query: pageQuery,
  answers: { 200: { description: "A page of endpoints", schema: pageOf(endpointShape) } },
  async handle({ ctx, query }) {
    const after = parseCursor(query.cursor);
    if (!after.ok) return after.failure;
    const page = await listEndpoints(ctx, { limit: query.limit, after: after.value });
    return json({ items: page.items.map(presentEndpoint), nextCursor: page.nextCursor });
  },
});

export const removeEndpoint = defineRoute({
  method: "delete",
  path: "/api/v1/webhook-endpoints/{id}",
  summary: "Send nothing more to an endpoint, for good",
  who: "O",
  tier: "write",
  params,
  answers: { 204: { description: "It is gone" } },
  async handle({ ctx, params: { id: endpointId } }) {
    const deleted = await deleteEndpoint(ctx, endpointId);
    return deleted.ok ? respond(null, 204) : deleted.failure;
  },
});

export const postEndpointSecret = defineRoute({
  method: "post",
  path: "/api/v1/webhook-endpoints/{id}/secret",
  summary: "Give an endpoint a new secret; the one before signs beside it for 24 hours",
  who: "O",
  tier: "write",
  params,
  answers: { 201: { description: "The endpoint, with its new secret", schema: endpointWithSecretShape } },
  async handle({ ctx, params: { id: endpointId } }) {
    const rotated = await rotateSecret(ctx, endpointId);
    if (!rotated.ok) return rotated.failure;
    return json({ ...presentEndpoint(rotated.value), secret: rotated.value.secret }, 201);
  },
});

export const enable = defineRoute({
  method: "post",
  path: "/api/v1/webhook-endpoints/{id}/enable",
  summary: "Send to an endpoint again that was disabled because it took nothing for days",
  who: "O",
  tier: "write",
  params,
  answers: { 200: { description: "The endpoint, active", schema: endpointShape } },
  async handle({ ctx, params: { id: endpointId } }) {
    const enabled = await enableEndpoint(ctx, endpointId);
    return enabled.ok ? json(presentEndpoint(enabled.value)) : enabled.failure;
  },
});
