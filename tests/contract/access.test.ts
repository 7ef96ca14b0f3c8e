import { describe, expect, it } from "vitest";
import type { Role } from "#domain/principal";
import type { Route, Who } from "#http/route";
import { ROUTES } from "#http/routes";
import { readProblem, send } from "../support/call-service.ts";
import { authorize, type TokenOptions } from "../support/sign-token.ts";

/** What the contract promises callers; K marks routes that need an Idempotency-Key. */
const CONTRACT = `
GET /health P
GET /health/live P
GET /health/ready P
GET /health/detailed O
GET /health/circuit-breakers O
POST /health/circuit-breakers/reset O
POST /api/v1/events M
PUT /api/v1/events/{id} M
GET /api/v1/events/{id} P
POST /api/v1/tickets/types M
PUT /api/v1/tickets/types/{id} M
DELETE /api/v1/tickets/types/{id} M
GET /api/v1/tickets/types/{id} P
GET /api/v1/tickets/events/{eventId}/types P
POST /api/v1/tickets/purchase A K
GET /api/v1/tickets/reservations/{id} A
DELETE /api/v1/tickets/reservations/{id} A
POST /api/v1/purchase/quote A
POST /api/v1/purchase A K
GET /api/v1/orders A
GET /api/v1/orders/{orderId} A
GET /api/v1/orders/{orderId}/tickets A
POST /api/v1/orders/{orderId}/cancel A K
GET /api/v1/tickets A
GET /api/v1/tickets/{ticketId} A
GET /api/v1/tickets/users/{userId} A
GET /api/v1/qr/{ticketId}/generate A
POST /api/v1/qr/validate D
POST /api/v1/tickets/validate-qr D
POST /api/v1/validation/scan D
GET /api/v1/validation/events/{eventId}/stats D
POST /mint O K
GET /mint/{ticketId} A
GET /mint/jobs O
GET /nft/{ticketId} P
POST /api/v1/webhooks/payments/{provider} S
GET /internal/tickets/{ticketId} S
GET /internal/orders/{orderId} S
POST /internal/orders/{orderId}/mark-paid S
GET /problems P
GET /problems/{code} P
`
  .trim()
  .split("\n");

const LEAST_ROLE: Readonly<Partial<Record<Who, Role>>> = { A: "user", D: "door_staff", M: "venue_manager", O: "admin" };
const ROLE_BELOW: Readonly<Partial<Record<Who, Role>>> = { D: "user", M: "door_staff", O: "venue_manager" };

function nameOf(route: Route): string {
  return `${route.method.toUpperCase()} ${route.path}`;
}

/** The route with ids that nothing has, and no body: enough to be let in or turned away. */
async function call(route: Route, token?: TokenOptions): Promise<Response> {
  const path = route.path.replace("{provider}", "standard").replaceAll(/\{\w+\}/g, () => crypto.randomUUID());
  return send(path, { method: route.method.toUpperCase(), headers: token ? await authorize(token) : {} });
}

const signedIn = ROUTES.filter(({ who }) => who !== "P" && who !== "S");
const restricted = signedIn.filter(({ who }) => who !== "A");

describe("the declared routes", () => {
  it("are those of the contract, each open to whom the contract says", () => {
    const declared = ROUTES.map((route) => `${nameOf(route)} ${route.who}${route.needsIdempotencyKey ? " K" : ""}`);
    expect(declared.toSorted()).toEqual(CONTRACT.toSorted());
  });

  it("limit the rate of everything but signed calls and the signs of life", () => {
    const unlimited = ROUTES.filter(({ tier }) => tier === "none").map(nameOf);
    const expected = ROUTES.filter(({ who, path }) => who === "S" || path === "/health" || path === "/health/live");
    expect(unlimited).toEqual(expected.map(nameOf));
  });
});

describe("a caller without a token", () => {
  it.each(signedIn.map((route) => [nameOf(route), route] as const))("gets nothing from %s but 401", async (_, route) => {
    const response = await call(route);
    expect(response.headers.get("www-authenticate")).toMatch(/^Bearer/);
    expect(await readProblem(response)).toMatchObject({ status: 401, code: "unauthenticated" });
  });

  it.each(ROUTES.filter(({ who }) => who === "P").map((route) => [nameOf(route), route] as const))(
    "is let in at %s, which is public",
    async (_, route) => {
      const response = await call(route);
      expect([200, 404]).toContain(response.status);
    },
  );
});

describe("a role that is too small", () => {
  it.each(restricted.map((route) => [nameOf(route), route] as const))("is turned away by %s with 403", async (_, route) => {
    const role = ROLE_BELOW[route.who] ?? "user";
    expect(await readProblem(await call(route, { role }))).toMatchObject({ status: 403, code: "forbidden" });
  });
});

describe("a role that is just great enough", () => {
  it.each(signedIn.map((route) => [nameOf(route), route] as const))("is let in by %s", async (_, route) => {
    const response = await call(route, { role: LEAST_ROLE[route.who] ?? "user" });
    expect([200, 204, 400, 404, 415]).toContain(response.status);
  });

  it.each(restricted.map((route) => [nameOf(route), route] as const))(
    "may be replaced by admin:all at %s",
    async (_, route) => {
      const response = await call(route, { role: "user", permissions: ["admin:all"] });
      expect([200, 204, 400, 404, 415]).toContain(response.status);
    },
  );
});

describe("a signed route", () => {
  it.each(ROUTES.filter(({ who }) => who === "S").map((route) => [nameOf(route), route] as const))(
    "does not take an admin's token for a signature: %s",
    async (_, route) => {
      const response = await call(route, { role: "admin", permissions: ["admin:all"] });
      expect(await readProblem(response)).toMatchObject({ status: 401, code: "webhook_signature_invalid" });
    },
  );
});
