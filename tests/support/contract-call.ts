/** Calls the service over HTTP and holds every answer against what its route declares: documentation that drifts fails a test. */
import { expect } from "vitest";
import { z } from "zod";
import { PROBLEMS } from "#http/problem";
import type { Route } from "#http/route";
import { ROUTES } from "#http/routes";
import type { Role } from "#domain/principal";
import { send as sendRequest } from "./call-service.ts";
import { signToken, type TokenOptions } from "./sign-token.ts";

/** What a call sends. `body` goes out as JSON; `raw` exactly as it is. */
export interface CallOptions {
  readonly token?: string;
  readonly key?: string;
  readonly body?: unknown;
  readonly raw?: BodyInit;
  readonly headers?: Readonly<Record<string, string>>;
}

/** An answer that was found to be as declared. */
export interface CheckedAnswer {
  readonly status: number;
  readonly headers: Headers;
  /** The parsed JSON, empty for an answer without a body. */
  readonly body: Readonly<Record<string, unknown>>;
}

const fieldError = z.looseObject({ path: z.string(), code: z.string(), message: z.string() });
const problemShape = z.strictObject({
  type: z.string(),
  title: z.string().min(1),
  status: z.int(),
  detail: z.string().min(1),
  instance: z.string().min(1),
  code: z.string(),
  errors: z.array(fieldError),
});

/** Sends a request to the service and checks nothing. */
export function send(method: string, path: string, options: CallOptions = {}): Promise<Response> {
  const { token, key, body, raw, headers } = options;
  return sendRequest(path, {
    method,
    headers: {
      ...(body === undefined ? {} : { "content-type": "application/json" }),
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...(key === undefined ? {} : { "idempotency-key": key }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    ...(raw === undefined ? {} : { body: raw }),
  });
}

/** Calls the service; a success must be as its route declares it, a refusal a complete problem. */
export async function call(method: string, path: string, options: CallOptions = {}): Promise<CheckedAnswer> {
  const response = await send(method, path, options);
  expectSafe(response);
  const body = parseBody(await response.text());
  const declared = findRoute(method, path)?.answers[response.status];
  if (declared) expectDeclared(declared.schema, body);
  else expectProblem(response, body);
  return { status: response.status, headers: response.headers, body };
}

/** The declared route that a path belongs to; one without parameters goes before one with. */
export function findRoute(method: string, path: string): Route | undefined {
  const [pathname = ""] = path.split("?");
  const matching = ROUTES.filter((route) => route.method === method.toLowerCase() && patternOf(route.path).test(pathname));
  return matching.toSorted((one, other) => Number(one.path.includes("{")) - Number(other.path.includes("{")))[0];
}

/** Asserts a complete RFC 9457 problem whose code is listed and whose `instance` is the request's id. */
export function expectProblem(response: { status: number; headers: Headers }, body: unknown): void {
  expect(response.headers.get("content-type")).toBe("application/problem+json");
  const { code, type, title, status, instance } = problemShape.parse(body);
  const listed = new Map<string, { status: number; title: string }>(Object.entries(PROBLEMS)).get(code);
  expect(listed, `${code} is listed`).toBeDefined();
  expect({ type, title, status }).toEqual({ type: `/problems/${code}`, title: listed?.title, status: listed?.status });
  expect(status).toBe(response.status);
  expect(instance).toBe(response.headers.get("x-request-id"));
}

function expectDeclared(schema: z.ZodType | undefined, body: unknown): void {
  if (!schema) return;
  // Parsing drops what the schema does not name, so equality says that nothing undeclared was answered.
  expect(schema.parse(body)).toEqual(body);
}

/** Asserts what every answer carries, whatever it says. */
export function expectSafe({ headers }: Response): void {
  expect(headers.get("x-request-id")).toMatch(/^[A-Za-z0-9._-]{1,128}$/);
  expect(headers.get("x-content-type-options")).toBe("nosniff");
  expect(headers.get("x-frame-options")).toBe("DENY");
  expect(headers.get("referrer-policy")).toBe("no-referrer");
  expect(headers.get("strict-transport-security")).toMatch(/^max-age=\d+/);
  expect(headers.get("content-security-policy")).toContain("default-src 'none'");
}

function parseBody(text: string): Readonly<Record<string, unknown>> {
  const parsed: unknown = text === "" ? {} : JSON.parse(text);
  return z.record(z.string(), z.unknown()).parse(parsed);
}

/** A route's path as a pattern of real paths. */
function patternOf(path: string): RegExp {
  return new RegExp(`^${path.replaceAll(/\{\w+\}/g, "[^/]+")}$`);
}

/** A path of the route, each parameter a new id unless given. */
export function pathOf(route: Route, params: Readonly<Record<string, string>> = {}): string {
  return route.path.replaceAll(/\{(\w+)\}/g, (_, name: string) => params[name] ?? parameterOf(name));
}

function parameterOf(name: string): string {
  if (name === "provider") return "standard";
  return name === "code" ? "not_found" : crypto.randomUUID();
}

/** `METHOD /path`, to name a route in a test's title. */
export function nameOf(route: Route): string {
  return `${route.method.toUpperCase()} ${route.path}`;
}

/** Someone with a token. */
export interface Caller {
  readonly tenantId: string;
  readonly userId: string;
  readonly token: string;
  call(method: string, path: string, options?: CallOptions): Promise<CheckedAnswer>;
}

/** A caller of the tenant, new unless named; `claims` says more about them. */
export async function signIn(
  role: Role,
  tenantId: string,
  userId: string = crypto.randomUUID(),
  claims: Pick<TokenOptions, "email" | "emailVerified"> = {},
): Promise<Caller> {
  const token = await signToken({ role, tenantId, sub: userId, ...claims });
  return { tenantId, userId, token, call: (method, path, options = {}) => call(method, path, { token, ...options }) };
}
