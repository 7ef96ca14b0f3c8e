import { z } from "@hono/zod-openapi";
import { respond } from "../security-headers.ts";
import { defineRoute, type Route } from "../route.ts";

/** The route that shows all routes. @param describeAll Called once an isolate, at the first request: it is slow. */
export function declareOpenApi(describeAll: () => unknown): Route {
  let text: string | undefined;
  return defineRoute({
    method: "get",
    path: "/openapi.json",
    summary: "This description, OpenAPI 3.1",
    who: "P",
    tier: "read",
    answers: { 200: { description: "The service as its routes declare it", schema: z.looseObject({ openapi: z.string() }) } },
    handle() {
      text ??= JSON.stringify(describeAll());
      return respond(text, 200, { "content-type": "application/json" });
    },
  });
}
