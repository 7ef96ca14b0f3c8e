import { z } from "@hono/zod-openapi";
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import type { RequestIdentity } from "#domain/order-messages";
import { ROLES, type Principal, type Role } from "#domain/principal";
import { defineRoute, isFailure, mayCall, type Route, type Who } from "#http/route";
import { json } from "#http/schemas";
import { compose } from "#src/compose";
import type { Failure } from "#domain/failure";

const buyer: Principal = { tenantId: crypto.randomUUID(), userId: crypto.randomUUID(), role: "user", permissions: [] };

interface Sent {
  readonly body?: unknown;
  readonly raw?: string;
  readonly key?: string;
  readonly params?: Readonly<Record<string, string>>;
  readonly query?: string;
  readonly principal?: Principal;
}

/** Hands a request to the route as the dispatcher does. */
function answer(
  route: Route,
  { body = {}, raw, key = "key", params = {}, query = "", principal = buyer }: Sent,
): ReturnType<Route["answer"]> {
  const composed = compose(env);
  if (!composed.ok) throw new Error("the tests' environment is misconfigured");
  const request = new Request(`https://tickets.test/${query}`, {
    method: "POST",
    headers: { "content-type": "application/json", "idempotency-key": key },
    body: raw ?? JSON.stringify(body),
  });
  return route.answer({ request, params, ctx: composed.value.createContext("test", 0), principal });
}

async function refusalOf(route: Route, sent: Sent): Promise<Failure | undefined> {
  const given = await answer(route, sent);
  return isFailure(given) ? given : undefined;
}

const spec = {
  method: "post",
  path: "/things/{thing}",
  summary: "A route of this test",
  who: "A",
  tier: "write",
  answers: { 200: { description: "What the handler saw" } },
} as const;

const keyed = (path: string): Route =>
  defineRoute({
    ...spec,
    path,
    needsIdempotencyKey: true,
    params: z.object({ thing: z.string() }),
    body: z.strictObject({
      name: z.string().default("none"),
      size: z.number().optional(),
      list: z.array(z.number()).optional(),
    }),
    handle: ({ identify }) => json(identify()),
  });

async function identityOf(sent: Sent, path: string = spec.path): Promise<RequestIdentity> {
  const given = await answer(keyed(path), { params: { thing: "1" }, ...sent });
  if (isFailure(given)) throw new Error(given.code);
  return given.json();
}

describe("a request that is sent again", () => {
  it("is the same one whatever the order of its fields, the spaces between them and defaults left out", async () => {
    const first = await identityOf({ raw: '{"name":"none","size":1}' });
    for (const raw of ['{"size":1,"name":"none"}', ' { "size" : 1.0 } ']) expect(await identityOf({ raw })).toEqual(first);
  });

  it("is another one, known by its body, when anything in it differs", async () => {
    const bodies: Sent[] = [
      { body: {} },
      { body: { name: "x" } },
      { body: { size: 1 } },
      { body: { list: [1, 2] } },
      { body: { list: [2, 1] } },
      { params: { thing: "2" } },
    ];
    const identities = await Promise.all(bodies.map((sent) => identityOf(sent)));
    expect(new Set(identities.map(({ bodyHash }) => bodyHash)).size).toBe(bodies.length);
    expect(new Set(identities.map(({ requestId }) => requestId)).size).toBe(1);
  });

  it("is nobody else's: tenant, user, route and key each make another request of it", async () => {
    const identities = await Promise.all([
      identityOf({}),
      identityOf({ key: "other" }),
      identityOf({ key: "Key" }),
      identityOf({}, "/others/{thing}"),
      identityOf({ principal: { ...buyer, userId: crypto.randomUUID() } }),
      identityOf({ principal: { ...buyer, tenantId: crypto.randomUUID() } }),
    ]);
    expect(new Set(identities.map(({ requestId }) => requestId)).size).toBe(identities.length);
    expect(await identityOf({ principal: { ...buyer, role: "admin" } })).toEqual(identities[0]);
  });
});

describe("what a handler gets", () => {
  it("is parsed: nothing undeclared, defaults filled in, each part by its own schema", async () => {
    const route = defineRoute({
      ...spec,
      params: z.object({ thing: z.string() }),
      query: z.object({ limit: z.coerce.number().default(20) }),
      body: z.strictObject({ name: z.string() }),
      handle: ({ body, params, query }) => json({ body, params, query }),
    });
    const given = await answer(route, { body: { name: "a" }, params: { thing: "1", extra: "2" }, query: "?other=1" });
    if (isFailure(given)) throw new Error(given.code);
    expect(await given.json()).toEqual({ body: { name: "a" }, params: { thing: "1" }, query: { limit: 20 } });
  });

  it("never is half a request: a bad part keeps the handler from running, and names its field", async () => {
    let calls = 0;
    const route = defineRoute({
      ...spec,
      params: z.object({ thing: z.string().regex(/^\d$/) }),
      body: z.strictObject({ lines: z.array(z.strictObject({ count: z.int() })) }),
      handle: () => {
        calls += 1;
        return json({});
      },
    });
    const params = { thing: "1" };
    const good = { lines: [{ count: 1 }] };
    expect(await refusalOf(route, { params: { thing: "x" }, body: good })).toMatchObject({ errors: [{ path: "thing" }] });
    const deep = await refusalOf(route, { params, body: { lines: [{ count: 1 }, { count: "2" }] } });
    expect(deep).toMatchObject({ errors: [{ path: "lines.1.count", code: "invalid_type" }] });
    const unknown = await refusalOf(route, { params, body: { lines: [{ count: 1, price: 1 }] } });
    expect(unknown).toMatchObject({ errors: [{ path: "lines.0.price", code: "unknown_field" }] });
    expect(await refusalOf(route, { params, raw: "{" })).toEqual({ code: "malformed_json" });
    expect(calls).toBe(0);
    expect(await refusalOf(route, { params, body: good })).toBeUndefined();
    expect(calls).toBe(1);
  });

  it("asks for the key before it reads the body, so that nobody uploads in vain", async () => {
    expect(await refusalOf(keyed(spec.path), { key: "", raw: "{" })).toEqual({ code: "idempotency_key_required" });
  });

  it("leaves the body of a route without one alone, for signatures are over raw bytes", async () => {
    const route = defineRoute({ ...spec, handle: async ({ request }) => new Response(await request.text()) });
    const given = await answer(route, { raw: "not json" });
    expect(isFailure(given) ? given.code : await given.text()).toBe("not json");
  });
});

describe("who may call", () => {
  const allowed = (who: Who): Role[] => ROLES.filter((role) => mayCall(who, { ...buyer, role }));

  it.each<[Who, readonly Role[]]>([
    ["A", ROLES],
    ["D", ["door_staff", "venue_manager", "admin"]],
    ["M", ["venue_manager", "admin"]],
    ["O", ["admin"]],
  ])("%s is for %j", (who, roles) => {
    expect(allowed(who)).toEqual(roles);
    expect(mayCall(who, { ...buyer, permissions: ["admin:all"] })).toBe(true);
    expect(mayCall(who, { ...buyer, permissions: ["admin:none"] })).toBe(who === "A");
  });
});
