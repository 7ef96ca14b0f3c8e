import { z, type RouteConfig } from "@hono/zod-openapi";
import { PROBLEMS } from "./problem.ts";
import type { Route } from "./route.ts";

const problemSchema = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    detail: z.string(),
    instance: z.string(),
    code: z.enum(Object.keys(PROBLEMS)),
    errors: z
      .array(z.looseObject({ path: z.string(), code: z.string(), message: z.string() }))
      .openapi({ description: "What is wrong in particular; empty when the code says it all." }),
  })
  .openapi("Problem");

const WHO_WORDS = {
  P: "Anyone.",
  S: "Who signs the body (Standard Webhooks); no bearer token.",
  A: "Any signed-in user.",
  D: "Door staff or above.",
  M: "Venue managers or above.",
  O: "Admins.",
} as const;

type ResponseConfig = RouteConfig["responses"][string];

/** A route as OpenAPI 3.1 has it, from the schemas that validate its requests. */
export function describeRoute(route: Route): RouteConfig {
  const answers = Object.entries(route.answers).map(
    ([status, { description, schema, contentType = "application/json" }]): [string, ResponseConfig] => [
      status,
      schema ? { description, content: { [contentType]: { schema } } } : { description },
    ],
  );
  const headers = headersOf(route);
  const signsIn = route.who !== "P" && route.who !== "S";
  return {
    method: route.method,
    path: route.path,
    summary: route.summary,
    description: `${WHO_WORDS[route.who]} Rate tier: ${route.tier}.`,
    ...(signsIn ? { security: [{ bearer: [] }] } : {}),
    request: {
      ...(route.params instanceof z.ZodObject ? { params: route.params } : {}),
      ...(route.query instanceof z.ZodObject ? { query: route.query } : {}),
      ...(headers ? { headers } : {}),
      ...bodyOf(route),
    },
    responses: {
      ...Object.fromEntries(answers),
      default: { description: "A problem (RFC 9457)", content: { "application/problem+json": { schema: problemSchema } } },
    },
  };
}

/** The headers of a signed call, as Standard Webhooks names them. */
const SIGNATURE_HEADERS = z.object({
  "webhook-id": z.string().openapi({ description: "The call's own id; the same one again has no second effect." }),
  "webhook-timestamp": z.string().openapi({ description: "Unix seconds, at most five minutes from the service's clock." }),
  "webhook-signature": z.string().openapi({ description: "`v1,` and the base64 of the HMAC over id, timestamp and raw body." }),
});

const IDEMPOTENCY_KEY = z.object({ "Idempotency-Key": z.string().min(1).max(255) });

function headersOf(route: Route): z.ZodObject | undefined {
  if (route.who === "S") return SIGNATURE_HEADERS;
  return route.needsIdempotencyKey ? IDEMPOTENCY_KEY : undefined;
}

function bodyOf(route: Route): Pick<RouteConfig["request"] & object, "body"> {
  const schema = route.body ?? route.signedBody;
  return schema
    ? { body: { required: route.body !== undefined && !route.isBodyOptional, content: { "application/json": { schema } } } }
    : {};
}
