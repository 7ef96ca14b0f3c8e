import { describe, expect, it } from "vitest";
import type { Route } from "#http/route";
import { ROUTES } from "#http/routes";
import { readProblem, send } from "../support/call-service.ts";
import { authorize } from "../support/sign-token.ts";

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
POST /api/v1/discounts M
GET /api/v1/discounts M
PUT /api/v1/discounts/{id} M
DELETE /api/v1/discounts/{id} M
POST /api/v1/purchase/quote A
POST /api/v1/purchase A K
GET /api/v1/orders A
GET /api/v1/orders/{orderId} A
GET /api/v1/orders/{orderId}/tickets A
POST /api/v1/orders/{orderId}/cancel A K
POST /api/v1/orders/{orderId}/refund M K
GET /api/v1/orders/{orderId}/refunds A
POST /api/v1/orders/{orderId}/refunds/{refundId}/mark-paid M
GET /api/v1/tickets A
GET /api/v1/tickets/{ticketId} A
GET /api/v1/tickets/users/{userId} A
POST /api/v1/tickets/{ticketId}/claim/challenge A
POST /api/v1/tickets/{ticketId}/claim A
POST /api/v1/transfer A K
POST /api/v1/transfer/{id}/accept A
POST /api/v1/transfer/{id}/decline A
POST /api/v1/transfer/{id}/cancel A
GET /api/v1/transfer A
GET /api/v1/transfer/{ticketId}/history A
POST /api/v1/admin/blacklist O
GET /api/v1/admin/blacklist O
DELETE /api/v1/admin/blacklist/{userId} O
GET /api/v1/qr/{ticketId}/generate A
POST /api/v1/qr/validate D
POST /api/v1/tickets/validate-qr D
POST /api/v1/validation/scan D
GET /api/v1/validation/events/{eventId}/stats D
POST /mint O K
GET /mint/{ticketId} A
GET /mint/jobs O
GET /mint/moves O
GET /mint/burns O
GET /mint/{ticketId}/proof A
GET /admin/reservations/metrics O
GET /admin/reservations/orphans O
POST /admin/reservations/reconcile O
POST /admin/chain/trees O K
GET /admin/chain/trees O
PUT /admin/chain/events/{id}/collections O
GET /nft/{ticketId} P
GET /nft/{ticketId}/image P
POST /api/v1/webhook-endpoints O
GET /api/v1/webhook-endpoints O
DELETE /api/v1/webhook-endpoints/{id} O
POST /api/v1/webhook-endpoints/{id}/secret O
POST /api/v1/webhook-endpoints/{id}/enable O
GET /api/v1/webhook-endpoints/{id}/deliveries O
POST /api/v1/webhook-endpoints/{id}/deliveries/{deliveryId}/replay O
POST /api/v1/webhooks/payments/{provider} S
GET /internal/tickets/{ticketId} S
GET /internal/orders/{orderId} S
POST /internal/orders/{orderId}/mark-paid S
GET /problems P
GET /problems/{code} P
`
  .trim()
  .split("\n");

function nameOf(route: Route): string {
  return `${route.method.toUpperCase()} ${route.path}`;
}

describe("the declared routes", () => {
  it("are those of the contract, each open to whom the contract says and to nobody else", () => {
    const declared = ROUTES.map((route) => `${nameOf(route)} ${route.who}${route.needsIdempotencyKey ? " K" : ""}`);
    expect(declared.toSorted()).toEqual(CONTRACT.toSorted());
  });

  it("limit the rate of everything but signed calls and the signs of life", () => {
    const unlimited = ROUTES.filter(({ tier }) => tier === "none").map(nameOf);
    const expected = ROUTES.filter(({ who, path }) => who === "S" || path === "/health" || path === "/health/live");
    expect(unlimited).toEqual(expected.map(nameOf));
  });

  it("answer to one path and method each", () => {
    const names = ROUTES.map((route) => nameOf(route).replaceAll(/\{\w+\}/g, "{}"));
    expect(names).toEqual([...new Set(names)]);
  });
});

describe("a public route", () => {
  it.each(ROUTES.filter(({ who }) => who === "P").map((route) => [nameOf(route), route] as const))(
    "lets anyone in: %s",
    async (_, route) => {
      const response = await send(route.path.replaceAll(/\{\w+\}/g, () => crypto.randomUUID()));
      expect([200, 404]).toContain(response.status);
    },
  );
});

describe("a signed route", () => {
  it.each(ROUTES.filter(({ who }) => who === "S").map((route) => [nameOf(route), route] as const))(
    "does not take an admin's token for a signature: %s",
    async (_, route) => {
      const path = route.path.replace("{provider}", "standard").replaceAll(/\{\w+\}/g, () => crypto.randomUUID());
      const headers = await authorize({ role: "admin", permissions: ["admin:all"] });
      const response = await send(path, { method: route.method.toUpperCase(), headers });
      expect(await readProblem(response)).toMatchObject({ status: 401, code: "webhook_signature_invalid" });
    },
  );
});
