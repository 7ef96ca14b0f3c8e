import { OpenAPIHono } from "@hono/zod-openapi";
import { secureHeaders } from "hono/secure-headers";
import type { Failure } from "#domain/failure";
import type { Principal } from "#domain/principal";
import type { Result } from "#domain/result";
import type { Logger } from "#platform/logger";
import type { ServiceContext } from "#services/context";
import type { ConfigProblem, Env } from "#src/config";
import type { Authenticator } from "./middleware/authenticate.ts";
import { isWithinLimit, limitHeaders, retryAfterSeconds } from "./middleware/rate-limit.ts";
import { describeRoute } from "./describe-route.ts";
import { presentFailure } from "./problem.ts";
import { isFailure, mayCall, type Route } from "./route.ts";

/** The service as one configuration makes it; the composition root builds it once per isolate. */
export interface Composition {
  readonly authenticator: Authenticator;
  readonly logger: Logger;
  createContext(requestId: string, nowMs: number): ServiceContext;
}

/** What the application is built from. */
export interface AppParts {
  readonly routes: readonly Route[];
  compose(env: Env): Result<Composition, readonly ConfigProblem[]>;
  readonly logger: Logger;
  readClockMs(): number;
}

type App = OpenAPIHono<{ Bindings: Env }>;

/** Builds the router and `/openapi.json` from the declared routes; a path or method that none declares is 404 or 405. */
export function createApp(parts: AppParts): App {
  const app: App = new OpenAPIHono();
  app.use(secureHeaders({ contentSecurityPolicy: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] } }));
  app.use(async (c, next) => {
    const composed = parts.compose(c.env);
    if (composed.ok) return next();
    const requestId = requestIdOf(c.req.raw);
    for (const { variable, problem } of composed.failure) {
      parts.logger.error("the service is misconfigured", { alert: "misconfigured", variable, problem, requestId });
    }
    return presentWithId({ code: "misconfigured" }, requestId);
  });
  for (const route of parts.routes) app.openAPIRegistry.registerPath(describeRoute(route));
  app.openAPIRegistry.registerComponent("securitySchemes", "bearer", { type: "http", scheme: "bearer", bearerFormat: "JWT" });
  app.get("/openapi.json", (c) =>
    c.json(app.getOpenAPI31Document({ openapi: "3.1.0", info: { title: "Ticket service", version: "1" } })),
  );
  for (const [path, routes] of groupByPath(parts.routes)) {
    const pattern = path.replaceAll(/\{(\w+)\}/g, ":$1");
    for (const route of routes) {
      app.on(route.method.toUpperCase(), pattern, (c) => dispatch(parts, route, c.req.raw, c.req.param(), c.env));
    }
    const allow = listAllowed(routes);
    app.all(pattern, (c) => presentWithId({ code: "method_not_allowed", allow }, requestIdOf(c.req.raw)));
  }
  app.notFound((c) => presentWithId({ code: "not_found", what: "path" }, requestIdOf(c.req.raw)));
  app.onError((error, c) => presentError(error, parts.logger, requestIdOf(c.req.raw)));
  return app;
}

/** Paths without parameters first, so that `/types` is never taken for an id. */
function groupByPath(routes: readonly Route[]): [string, Route[]][] {
  const groups = Map.groupBy(routes, (route) => route.path);
  return [...groups].toSorted(([one], [other]) => Number(one.includes("{")) - Number(other.includes("{")));
}

function listAllowed(routes: readonly Route[]): string[] {
  const methods = routes.map((route) => route.method.toUpperCase());
  return methods.includes("GET") ? ["GET", "HEAD", ...methods.filter((method) => method !== "GET")] : methods;
}

/** One request on its way: configured? who? may they? too often? then the route answers. */
async function dispatch(parts: AppParts, route: Route, request: Request, params: Record<string, string>, env: Env): Promise<Response> {
  const startedAtMs = parts.readClockMs();
  const requestId = requestIdOf(request);
  const composed = parts.compose(env);
  if (!composed.ok) return presentWithId({ code: "misconfigured" }, requestId);
  const { authenticator, createContext, logger } = composed.value;
  let answer: Response | Failure;
  let extra: Readonly<Record<string, string>> = {};
  try {
    const caller = await admitCaller(route, request, authenticator, startedAtMs);
    if (!caller.ok) answer = caller.failure;
    else if (route.tier !== "none" && !(await isWithinLimit(env, route.tier, limitKey(request, caller.value)))) {
      answer = { code: "rate_limited", retryAfterSeconds: retryAfterSeconds(route.tier) };
      extra = limitHeaders(route.tier);
    } else answer = await route.answer({ request, params, ctx: createContext(requestId, startedAtMs), principal: caller.value });
  } catch (error) {
    return presentError(error, logger, requestId);
  }
  const response = isFailure(answer) ? presentFailure(answer, requestId) : answer;
  response.headers.set("x-request-id", requestId);
  for (const [name, value] of Object.entries(extra)) response.headers.set(name, value);
  const line = { requestId, method: request.method, path: route.path, status: response.status, tookMs: parts.readClockMs() - startedAtMs };
  if (response.status >= 400) logger.info("request refused", { ...line, ...(isFailure(answer) ? { refusal: answer.code } : {}) });
  else logger.debug("request answered", line);
  return response;
}

async function admitCaller(
  route: Route,
  request: Request,
  authenticator: Authenticator,
  nowMs: number,
): Promise<Result<Principal | undefined, Failure>> {
  if (route.who === "P" || route.who === "S") return { ok: true, value: undefined };
  const principal = await authenticator.authenticate(request.headers.get("authorization"), nowMs);
  if (principal.ok && !mayCall(route.who, principal.value)) return { ok: false, failure: { code: "forbidden" } };
  return principal;
}

function limitKey(request: Request, principal: Principal | undefined): string {
  if (principal) return `${principal.tenantId}:${principal.userId}`;
  return request.headers.get("cf-connecting-ip") ?? "unknown";
}

/** The caller's own id when it is sane, else a new one; the same for every use in one request. */
function requestIdOf(request: Request): string {
  const known = requestIds.get(request);
  if (known !== undefined) return known;
  const given = request.headers.get("x-request-id") ?? "";
  const requestId = /^[A-Za-z0-9._-]{1,128}$/.test(given) ? given : crypto.randomUUID();
  requestIds.set(request, requestId);
  return requestId;
}
const requestIds = new WeakMap<Request, string>();

function presentWithId(failure: Failure, requestId: string): Response {
  const response = presentFailure(failure, requestId);
  response.headers.set("x-request-id", requestId);
  return response;
}

/** What was thrown is a bug or the platform: the caller learns nothing but the request id. */
function presentError(error: unknown, logger: Logger, requestId: string): Response {
  const isOverloaded = error instanceof Error && "overloaded" in error && error.overloaded === true;
  const isRetryable = error instanceof Error && "retryable" in error && error.retryable === true;
  logger.error("request failed", { requestId, error, isOverloaded, isRetryable });
  if (isOverloaded || isRetryable) return presentWithId({ code: "overloaded", retryAfterSeconds: 1 }, requestId);
  return presentWithId({ code: "internal_error" }, requestId);
}

