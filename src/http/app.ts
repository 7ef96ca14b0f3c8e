import { OpenAPIHono } from "@hono/zod-openapi";
import { TrieRouter } from "hono/router/trie-router";
import type { Failure } from "#domain/failure";
import type { Principal } from "#domain/principal";
import type { Result } from "#domain/result";
import type { Logger } from "#platform/logger";
import { isUnavailable } from "#platform/unavailable";
import type { ServiceContext } from "#services/context";
import type { ConfigProblem, Env } from "#src/config";
import type { Authenticator } from "./middleware/authenticate.ts";
import type { ClientGuard } from "./middleware/client-guard.ts";
import { networkOf } from "./middleware/network-of.ts";
import { isWithinLimit, limitHeaders, retryAfterSeconds } from "./middleware/rate-limit.ts";
import { describeRoute } from "./describe-route.ts";
import { presentFailure } from "./problem.ts";
import { addHeaders, respond } from "./security-headers.ts";
import { isFailure, mayCall, type Route } from "./route.ts";
import { declareOpenApi } from "./routes/openapi.ts";

/** The service as one configuration makes it; the composition root builds it once per isolate. */
export interface Composition {
  readonly authenticator: Authenticator;
  readonly clientGuard: ClientGuard;
  readonly logger: Logger;
  readonly createContext: (requestId: string, nowMs: number) => ServiceContext;
}

/** What the application is built from. */
export interface AppParts {
  readonly routes: readonly Route[];
  compose(env: Env): Result<Composition, readonly ConfigProblem[]>;
  readonly logger: Logger;
  readClockMs(): number;
}

type App = OpenAPIHono<{ Bindings: Env }>;

/** What one path answers to: its routes by method, and what `Allow` says of it. */
interface DeclaredPath {
  readonly routes: ReadonlyMap<string, Route>;
  readonly allow: readonly string[];
}

/**
 * Builds the router and `/openapi.json` from the declared routes; a path or method that none declares is 404 or 405. Each path has
 * one handler and there is no middleware, because Hono would wrap two in a chain of promises for each request.
 */
export function createApp(parts: AppParts): App {
  const app: App = new OpenAPIHono({ router: new TrieRouter() });
  const declared = [
    ...parts.routes,
    declareOpenApi(() => app.getOpenAPI31Document({ openapi: "3.1.0", info: { title: "Ticket service", version: "1" } })),
  ];
  for (const route of declared) app.openAPIRegistry.registerPath(describeRoute(route));
  app.openAPIRegistry.registerComponent("securitySchemes", "bearer", { type: "http", scheme: "bearer", bearerFormat: "JWT" });
  for (const [path, routes] of groupByPath(declared)) {
    const declaredPath = {
      routes: new Map(routes.map((route) => [route.method.toUpperCase(), route])),
      allow: listAllowed(routes),
    };
    app.all(path.replaceAll(/\{(\w+)\}/g, ":$1"), (c) => answerPath(parts, declaredPath, c.req.raw, c.req.param(), c.env));
  }
  app.notFound((c) => {
    const requestId = requestIdOf(c.req.raw);
    const composed = parts.compose(c.env);
    if (!composed.ok) return presentMisconfigured(composed.failure, parts.logger, requestId);
    return presentWithId({ code: "not_found", what: "path" }, requestId);
  });
  app.onError((error, c) => {
    const requestId = requestIdOf(c.req.raw);
    return presentWithId(explainError(error, parts.logger, requestId), requestId);
  });
  return app;
}

/** Paths without parameters first, so that `/types` is never taken for an id. */
function groupByPath(routes: readonly Route[]): [string, Route[]][] {
  const groups = Map.groupBy(routes, (route) => route.path);
  return [...groups].toSorted(([one], [other]) => Number(one.includes("{")) - Number(other.includes("{")));
}

function listAllowed(routes: readonly Route[]): string[] {
  const methods = routes.map((route) => route.method.toUpperCase());
  return methods.includes("GET") ? ["HEAD", ...methods, "OPTIONS"] : [...methods, "OPTIONS"];
}

/** A request to a declared path: to one of its routes, or with a method that the path does not take. Hono empties what answers HEAD. */
async function answerPath(
  parts: AppParts,
  { routes, allow }: DeclaredPath,
  request: Request,
  params: Record<string, string>,
  env: Env,
): Promise<Response> {
  const startedAtMs = parts.readClockMs();
  const requestId = requestIdOf(request);
  const composed = parts.compose(env);
  if (!composed.ok) return presentMisconfigured(composed.failure, parts.logger, requestId);
  const route = routes.get(request.method === "HEAD" ? "GET" : request.method);
  if (route !== undefined) return dispatch(parts, route, { request, params, requestId, startedAtMs }, env, composed.value);
  if (request.method === "OPTIONS") return withId(respond(null, 204, { allow: allow.join(", ") }), requestId);
  return presentWithId({ code: "method_not_allowed", allow }, requestId);
}

/** One request on its way: who? may they? too often? then the route answers. */
async function dispatch(
  parts: AppParts,
  route: Route,
  arrival: Arrival,
  env: Env,
  composition: Composition,
): Promise<Response> {
  const { request, requestId, startedAtMs } = arrival;
  const { logger } = composition;
  let answer: Response | Failure;
  try {
    answer = await answerCaller(route, arrival, env, composition);
  } catch (error) {
    answer = explainError(error, logger, requestId);
  }
  const response = withId(isFailure(answer) ? presentFailure(answer, requestId) : answer, requestId);
  const line = {
    requestId,
    method: request.method,
    path: route.path,
    status: response.status,
    tookMs: parts.readClockMs() - startedAtMs,
  };
  if (response.status >= 400)
    logger.info("request refused", { ...line, ...(isFailure(answer) ? { refusal: answer.code } : {}) });
  else logger.debug("request answered", line);
  if (isFailure(answer) && answer.code === "rate_limited") addHeaders(response, limitHeaders(route.tier));
  return response;
}

interface Arrival {
  readonly request: Request;
  readonly params: Readonly<Record<string, string>>;
  readonly requestId: string;
  readonly startedAtMs: number;
}

async function answerCaller(route: Route, arrival: Arrival, env: Env, composition: Composition): Promise<Response | Failure> {
  const { request, params, requestId, startedAtMs } = arrival;
  const caller = await admitCaller(route, request, composition.authenticator, startedAtMs);
  // Who is refused counts too: each token that is none costs its verification.
  const key = limitKey(request, caller.ok ? caller.value : undefined);
  const tooMany = await limitCaller(route, key, env, composition.clientGuard, startedAtMs);
  if (tooMany) return tooMany;
  if (!caller.ok) return caller.failure;
  const ctx = composition.createContext(requestId, startedAtMs);
  return route.answer({ request, params, ctx, principal: caller.value });
}

/** Counts the request against its caller, who is `null` when nobody knows them. @returns why it is one too many. */
async function limitCaller(
  { tier }: Route,
  key: string | null,
  env: Env,
  guard: ClientGuard,
  nowMs: number,
): Promise<Failure | undefined> {
  if (tier === "none" || key === null) return undefined;
  const blockedSeconds = guard.blockedSeconds(key, nowMs);
  if (blockedSeconds !== undefined) return { code: "client_blocked", retryAfterSeconds: blockedSeconds };
  if (await isWithinLimit(env, tier, key)) return undefined;
  const blockedFromNow = await guard.noteRefusal(key, nowMs);
  if (blockedFromNow !== undefined) return { code: "client_blocked", retryAfterSeconds: blockedFromNow };
  return { code: "rate_limited", retryAfterSeconds: retryAfterSeconds(tier) };
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

/**
 * Whom a request counts against: the user, or the network of who has not signed in. Null when neither is known, which is
 * only so off Cloudflare, where one shared count would let one caller shut everybody out.
 */
function limitKey(request: Request, principal: Principal | undefined): string | null {
  if (principal) return `${principal.tenantId}:${principal.userId}`;
  const address = request.headers.get("cf-connecting-ip");
  return address === null ? null : networkOf(address);
}

/** The caller's own id when it is sane, else a new one. */
function requestIdOf(request: Request): string {
  const given = request.headers.get("x-request-id");
  return given !== null && /^[A-Za-z0-9._-]{1,128}$/.test(given) ? given : crypto.randomUUID();
}

function presentMisconfigured(problems: readonly ConfigProblem[], logger: Logger, requestId: string): Response {
  for (const { variable, problem } of problems) {
    logger.error("the service is misconfigured", { alert: "misconfigured", variable, problem, requestId });
  }
  return presentWithId({ code: "misconfigured" }, requestId);
}

function presentWithId(failure: Failure, requestId: string): Response {
  return withId(presentFailure(failure, requestId), requestId);
}

function withId(response: Response, requestId: string): Response {
  response.headers.set("x-request-id", requestId);
  return response;
}

/** What was thrown is a bug or the platform: the caller learns nothing but the request id. */
function explainError(error: unknown, logger: Logger, requestId: string): Failure {
  const canTryAgain = isUnavailable(error);
  logger.error("request failed", { requestId, error, canTryAgain });
  return canTryAgain ? { code: "overloaded", retryAfterSeconds: 1 } : { code: "internal_error" };
}
