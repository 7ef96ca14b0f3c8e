import { env } from "cloudflare:workers";
import { generateKeyPair, exportJWK } from "jose";
import { afterEach, describe, expect, it, vi } from "vitest";
import { ROLES, type Role } from "#domain/principal";
import { createAuthenticator } from "#http/middleware/authenticate";
import type { Route, Who } from "#http/route";
import { ROUTES } from "#http/routes";
import { parseConfig } from "#src/config";
import { call, nameOf, pathOf, send, signIn, type CheckedAnswer } from "../support/contract-call.ts";
import { serveOutside } from "../support/payment-provider-at-test.ts";
import { signToken, type TokenOptions } from "../support/sign-token.ts";

afterEach(async () => {
  vi.restoreAllMocks();
});

const LEAST_ROLE: Readonly<Partial<Record<Who, Role>>> = { A: "user", D: "door_staff", M: "venue_manager", O: "admin" };

const named = (routes: readonly Route[]): [string, Route][] => routes.map((route) => [nameOf(route), route]);
const signingIn = named(ROUTES.filter(({ who }) => LEAST_ROLE[who] !== undefined));
const above = named(ROUTES.filter(({ who }) => who === "D" || who === "M" || who === "O"));
const keyed = named(ROUTES.filter(({ needsIdempotencyKey }) => needsIdempotencyKey));

function callRoute(route: Route, options: Parameters<typeof call>[2] = {}): Promise<CheckedAnswer> {
  return call(route.method, pathOf(route), options);
}

async function sign(options: TokenOptions): Promise<string> {
  return signToken({ role: "admin", ...options });
}

/** The same token with one character of its signature changed. */
function tamper(token: string): string {
  const at = token.lastIndexOf(".") + 10;
  return `${token.slice(0, at)}${token[at] === "A" ? "B" : "A"}${token.slice(at + 1)}`;
}

async function signWithForeignKey(): Promise<string> {
  const { privateKey } = await generateKeyPair("RS256", { extractable: true });
  return sign({ privateJwk: await exportJWK(privateKey) });
}

/** The service's own token with more rights written into it and the old signature under it. */
async function promote(): Promise<string> {
  const [header = "", claims = "", signature = ""] = (await signToken({ role: "user" })).split(".");
  const said = atob(claims.replaceAll("-", "+").replaceAll("_", "/")).replace('"user"', '"admin"');
  return `${header}.${btoa(said).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "")}.${signature}`;
}

const BAD_TOKENS: readonly [string, () => Promise<string>][] = [
  ["expired", () => sign({ ttlSeconds: -1 })],
  ["unsigned", () => sign({ alg: "none" })],
  ["signed by HS256 with the public key as its secret", () => sign({ alg: "HS256" })],
  ["signed by another RSA algorithm", () => sign({ alg: "RS512" })],
  ["signed by someone else", signWithForeignKey],
  ["with a signature that was changed", async () => tamper(await sign({}))],
  ["with claims that were changed", promote],
  ["of another issuer", () => sign({ issuer: "https://elsewhere.test" })],
  ["for another audience", () => sign({ audience: "another-service" })],
  ["with the issuer as its audience", () => sign({ audience: env.JWT_ISSUER })],
  ["without issuer", () => sign({ without: ["iss"] })],
  ["without audience", () => sign({ without: ["aud"] })],
  ["that never expires", () => sign({ without: ["exp"] })],
  ["of nobody", () => sign({ without: ["sub"] })],
  ["of no tenant", () => sign({ without: ["tenant_id"] })],
  ["without role", () => sign({ without: ["role"] })],
  ["with a role that does not exist", () => sign({ role: "superuser" })],
  ["of a user whose id is no UUID", () => sign({ sub: "1" })],
  ["of a tenant whose id is no UUID", () => sign({ tenantId: "1' OR '1'='1" })],
  ["that is no token", () => Promise.resolve("garbage")],
  ["that is empty", () => Promise.resolve("")],
  ["longer than any token", () => Promise.resolve("a".repeat(9_000))],
];

describe.each(signingIn)("%s", (_, route) => {
  it("answers nobody who does not say who they are", async () => {
    const refused = await callRoute(route);
    expect(refused).toMatchObject({ status: 401, body: { code: "unauthenticated" } });
    expect(refused.headers.get("www-authenticate")).toMatch(/^Bearer /);
  });

  it("answers no bad token", async () => {
    for (const [kind, makeToken] of BAD_TOKENS) {
      const refused = await callRoute(route, { token: await makeToken() });
      expect(refused, kind).toMatchObject({ status: 401, body: { code: "unauthenticated" } });
      expect(refused.headers.get("www-authenticate"), kind).toMatch(/^Bearer /);
    }
  });

  it("takes a token in its header and nowhere else, and no other scheme", async () => {
    const token = await sign({});
    const tries = [
      call(route.method, `${pathOf(route)}?access_token=${token}`),
      callRoute(route, { headers: { cookie: `token=${token}` } }),
      callRoute(route, { headers: { authorization: `Basic ${token}` } }),
      callRoute(route, { headers: { authorization: token } }),
    ];
    for (const refused of await Promise.all(tries)) expect(refused.status).toBe(401);
  });
});

describe.each(above)("%s", (_, route) => {
  const least = LEAST_ROLE[route.who] ?? "admin";
  const tooSmall = ROLES.slice(0, ROLES.indexOf(least));

  it.each(tooSmall)("is not for the role %s", async (role) => {
    const { token } = await signIn(role, crypto.randomUUID());
    expect(await callRoute(route, { token })).toMatchObject({ status: 403, body: { code: "forbidden" } });
  });

  it("is for the least role it names, and for admin:all in a token of any role", async () => {
    serveOutside();
    const tokens = [await signToken({ role: least }), await signToken({ role: "user", permissions: ["admin:all"] })];
    for (const token of tokens) expect([401, 403]).not.toContain((await callRoute(route, { token })).status);
  });

  it("is not for a permission that only looks like admin:all", async () => {
    const token = await signToken({ role: "user", permissions: ["admin:al", "ADMIN:ALL", "admin:*"] });
    expect((await callRoute(route, { token })).status).toBe(403);
  });
});

describe.each(keyed)("%s", (_, route) => {
  it.each([
    ["no key", undefined],
    ["an empty key", ""],
    ["a key of 256 characters", "k".repeat(256)],
    ["a key of 300 characters", "k".repeat(300)],
    ["a key with a control character", "a\tb"],
    ["a key that is not ASCII", "clé"],
  ])("with %s does nothing and says that it needs one", async (_kind, key) => {
    const token = await sign({});
    const refused = await callRoute(route, { token, ...(key === undefined ? {} : { key }), body: {} });
    expect(refused).toMatchObject({ status: 400, body: { code: "idempotency_key_required" } });
  });

  it("takes a key of 255 characters", async () => {
    const answer = await callRoute(route, { token: await sign({}), key: "k".repeat(255), body: {} });
    expect(answer.body["code"]).not.toBe("idempotency_key_required");
  });
});

describe("every path", () => {
  const paths = [...new Set(ROUTES.map(({ path }) => path))];

  it.each(paths)("%s names its methods to one that it does not take, and to OPTIONS", async (path) => {
    const routes = ROUTES.filter((route) => route.path === path);
    const [first] = routes;
    if (!first) throw new Error("a path has a route");
    const methods: string[] = routes.map(({ method }) => method.toUpperCase());
    const allow = [...methods, ...(methods.includes("GET") ? ["HEAD"] : []), "OPTIONS"].toSorted();
    for (const method of ["GET", "POST", "PUT", "DELETE", "PATCH"].filter((one) => !methods.includes(one))) {
      const refused = await call(method, pathOf(first));
      expect(refused, method).toMatchObject({ status: 405, body: { code: "method_not_allowed" } });
      expect(refused.headers.get("allow")?.split(", ").toSorted(), method).toEqual(allow);
    }
    const options = await send("OPTIONS", pathOf(first));
    expect(options.status).toBe(204);
    expect(options.headers.get("allow")?.split(", ").toSorted()).toEqual(allow);
    expect(options.headers.get("access-control-allow-origin")).toBeNull();
  });
});

it("takes RS256 alone even where the key set does not say what its keys are for", async () => {
  const config = parseConfig(env);
  if (!config.ok) throw new Error("the tests' environment is misconfigured");
  const keys = (config.value.JWT_JWKS?.keys ?? []).map(({ n = "", e = "", kid = "" }) => ({ kty: "RSA" as const, n, e, kid }));
  const authenticator = createAuthenticator({ ...config.value, JWT_JWKS: { keys } });
  const isTaken = async (options: TokenOptions): Promise<boolean> =>
    (await authenticator.authenticate(`Bearer ${await signToken(options)}`, Date.now())).ok;
  expect(await isTaken({})).toBe(true);
  for (const alg of ["RS512", "HS256", "none"] as const) expect(await isTaken({ alg }), alg).toBe(false);
});

it("knows enough routes for these tests to mean something", () => {
  expect(signingIn.length).toBeGreaterThan(20);
  expect(above.length).toBeGreaterThan(10);
  expect(keyed.map(([name]) => name).toSorted()).toEqual([
    "POST /admin/chain/trees",
    "POST /api/v1/orders/{orderId}/cancel",
    "POST /api/v1/orders/{orderId}/refund",
    "POST /api/v1/purchase",
    "POST /api/v1/tickets/purchase",
    "POST /api/v1/transfer",
    "POST /mint",
  ]);
});
