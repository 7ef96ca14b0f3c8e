import { describe, expect, it } from "vitest";
import { z } from "zod";
import { PROBLEMS } from "#http/problem";
import { defineRoute, type Route } from "#http/route";
import { ROUTES } from "#http/routes";
import { json } from "#http/schemas";
import { makeApp, readProblem, send } from "../support/call-service.ts";
import { authorize } from "../support/sign-token.ts";

const PROBE = {
  method: "get",
  path: "/probe",
  summary: "A route of this test",
  who: "P",
  tier: "read",
  answers: { 200: { description: "Nothing" } },
} as const;

function probeThat(fail: () => Response): Route {
  return defineRoute({ ...PROBE, handle: fail });
}

describe("a path or method that does not exist", () => {
  it.each(["/", "/nowhere", "/api/v1", "/api/v1/orders/", "/API/v1/orders", "/api/v2/orders", "/.env", "/problems/x/y"])(
    "is a 404 problem: %s",
    async (path) => {
      expect(await readProblem(await send(path))).toMatchObject({ status: 404, code: "not_found" });
    },
  );

  it.each([
    ["DELETE", "/api/v1/orders", "HEAD, GET, OPTIONS"],
    ["GET", "/api/v1/purchase", "POST, OPTIONS"],
    ["PATCH", "/api/v1/tickets/types/0a4f8f1e-5b1b-4f0e-9c66-0f6c5b0a9f11", "HEAD, PUT, DELETE, GET, OPTIONS"],
    ["POST", "/openapi.json", "HEAD, GET, OPTIONS"],
  ])("is a 405 problem that says what is allowed: %s %s", async (method, path, allow) => {
    const response = await send(path, { method });
    expect(response.headers.get("allow")?.split(", ").toSorted()).toEqual(allow.split(", ").toSorted());
    expect(await readProblem(response)).toMatchObject({ status: 405, code: "method_not_allowed" });
  });

  it("is told by OPTIONS, without a token and without doing anything", async () => {
    const response = await send("/api/v1/purchase", { method: "OPTIONS" });
    expect([response.status, response.headers.get("allow")]).toEqual([204, "POST, OPTIONS"]);
    expect(response.headers.get("access-control-allow-origin")).toBeNull();
  });

  it("answers HEAD like GET, without the body", async () => {
    const response = await send("/health", { method: "HEAD" });
    expect([response.status, await response.text()]).toEqual([200, ""]);
    expect((await send("/api/v1/orders", { method: "HEAD" })).status).toBe(401);
  });
});

describe("the request id", () => {
  it("is the caller's own when it is sane, in header and problem", async () => {
    const response = await send("/nowhere", { headers: { "x-request-id": "check-out_42.a" } });
    expect(response.headers.get("x-request-id")).toBe("check-out_42.a");
    expect((await readProblem(response)).instance).toBe("check-out_42.a");
  });

  it.each([
    ["nothing", ""],
    ["a space", "with space"],
    ["markup", "<script>"],
    ["129 characters", "x".repeat(129)],
    ["a semicolon", "semi;colon"],
  ])("is a new one for %s", async (_what, given) => {
    const response = await send("/health", { headers: { "x-request-id": given } });
    expect(response.headers.get("x-request-id")).toMatch(/^[0-9a-f-]{36}$/);
  });

  it("is on answers of every kind, and in the log line of a refusal", async () => {
    const app = makeApp({});
    for (const path of ["/health", "/nowhere", "/api/v1/orders", "/openapi.json", "/problems"]) {
      const response = await app.fetch(path, { headers: { "x-request-id": `of${path.replaceAll("/", ".")}` } });
      expect(response.headers.get("x-request-id"), path).toBe(`of${path.replaceAll("/", ".")}`);
    }
    const refused = app.lines.find(({ message }) => message === "request refused");
    expect(refused?.fields).toMatchObject({
      requestId: "of.api.v1.orders",
      status: 401,
      path: "/api/v1/orders",
      method: "GET",
    });
  });
});

describe("the problem list", () => {
  const listShape = z.object({
    items: z.array(z.object({ type: z.string(), code: z.string(), status: z.int(), title: z.string() })),
  });

  it("names every code the service may answer with, at the address that problems carry", async () => {
    const { items } = listShape.parse(await (await send("/problems")).json());
    expect(items.map(({ code }) => code).toSorted()).toEqual(Object.keys(PROBLEMS).toSorted());
    for (const item of items) {
      const one = await send(item.type);
      expect(await one.json(), item.type).toEqual(item);
    }
  });

  it("does not know what objects inherit", async () => {
    for (const code of ["constructor", "__proto__", "toString"]) expect((await send(`/problems/${code}`)).status).toBe(404);
  });
});

describe("the description", () => {
  const description = z.object({
    openapi: z.string(),
    paths: z.record(z.string(), z.record(z.string(), z.looseObject({ security: z.array(z.unknown()).optional() }))),
  });

  it("is OpenAPI 3.1 and has exactly the declared routes, each with its access", async () => {
    const { openapi, paths } = description.parse(await (await send("/openapi.json")).json());
    expect(openapi).toBe("3.1.0");
    const described = Object.entries(paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, { security }]) => `${method} ${path}${security ? " bearer" : ""}`),
    );
    const declared = ROUTES.map(({ method, path, who }) => `${method} ${path}${who === "P" || who === "S" ? "" : " bearer"}`);
    expect(described.toSorted()).toEqual([...declared, "get /openapi.json"].toSorted());
  });

  it("shows the rules of a request: what may not be left out, what may not be more", async () => {
    const text = await (await send("/openapi.json")).text();
    expect(text).toContain('"additionalProperties":false');
    expect(text).toContain('"Idempotency-Key"');
    expect(text).toContain("application/problem+json");
  });
});

describe("too many requests", () => {
  const full = { limit: async () => ({ success: false }) };

  it("are told when to come again, by the standard headers", async () => {
    const app = makeApp({ env: { RATE_LIMIT_SALE: full } });
    const headers = { ...(await authorize()), "content-type": "application/json", "idempotency-key": "k" };
    const response = await app.fetch("/api/v1/purchase", { method: "POST", headers, body: "{}" });
    expect(response.headers.get("retry-after")).toBe("10");
    expect(response.headers.get("ratelimit")).toBe('"sale";r=0;t=10');
    expect(response.headers.get("ratelimit-policy")).toBe('"sale";q=300;w=10');
    expect(await readProblem(response)).toMatchObject({ status: 429, code: "rate_limited" });
  });

  it("of one kind do not stop the others: who may not buy may still look and be let in", async () => {
    const app = makeApp({ env: { RATE_LIMIT_SALE: full } });
    expect((await app.fetch("/api/v1/orders", { headers: await authorize() })).status).toBe(200);
  });

  it("never stop a payment provider or a health check", async () => {
    const app = makeApp({
      env: { RATE_LIMIT_READ: full, RATE_LIMIT_WRITE: full, RATE_LIMIT_SALE: full, RATE_LIMIT_SCAN: full },
    });
    expect((await app.fetch("/api/v1/webhooks/payments/standard", { method: "POST", body: "{}" })).status).toBe(401);
    expect((await app.fetch("/health")).status).toBe(200);
  });

  it("are counted by user when signed in, by address when not", async () => {
    const keys: string[] = [];
    const counting = { limit: async ({ key }: { key: string }) => ({ success: keys.push(key) > 0 }) };
    const app = makeApp({ env: { RATE_LIMIT_READ: counting } });
    const [tenantId, sub] = [crypto.randomUUID(), crypto.randomUUID()];
    await app.fetch("/api/v1/orders", {
      headers: { ...(await authorize({ tenantId, sub })), "cf-connecting-ip": "192.0.2.1" },
    });
    await app.fetch("/problems", { headers: { "cf-connecting-ip": "192.0.2.1" } });
    expect(keys).toEqual([`${tenantId}:${sub}`, "192.0.2.1"]);
  });
});

describe("what breaks on our side", () => {
  it("shows the caller nothing but the request id, and the log what it was", async () => {
    const app = makeApp({
      routes: [
        probeThat(() => {
          throw new Error("SELECT secret FROM vault");
        }),
      ],
    });
    const response = await app.fetch("/probe");
    const text = await response.clone().text();
    expect(text).not.toMatch(/SELECT|vault|stack|at /);
    expect(await readProblem(response)).toMatchObject({ status: 500, code: "internal_error" });
    expect(app.lines.find(({ level }) => level === "error")?.fields).toMatchObject({
      requestId: response.headers.get("x-request-id"),
    });
  });

  it.each(["overloaded", "retryable"])("is a 503 that says when to try again when a Durable Object is %s", async (flag) => {
    const app = makeApp({
      routes: [
        probeThat(() => {
          throw Object.assign(new Error("no"), { [flag]: true });
        }),
      ],
    });
    const response = await app.fetch("/probe");
    expect(response.headers.get("retry-after")).toBe("1");
    expect(await readProblem(response)).toMatchObject({ status: 503, code: "overloaded" });
  });
});

describe("an answer", () => {
  it("carries the headers that keep a browser from being misled", async () => {
    const app = makeApp({ routes: [probeThat(() => json({}))] });
    const { headers } = await app.fetch("/probe");
    expect(headers.get("x-content-type-options")).toBe("nosniff");
    expect(headers.get("content-security-policy")).toContain("default-src 'none'");
    expect(headers.get("cache-control")).toBe("no-store");
  });
});
