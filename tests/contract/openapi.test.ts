import { describe, expect, it } from "vitest";
import { z } from "zod";
import type { Route } from "#http/route";
import { ROUTES } from "#http/routes";
import { send } from "../support/contract-call.ts";

const operation = z.looseObject({
  summary: z.string().min(1),
  parameters: z.array(z.looseObject({ name: z.string(), in: z.string(), required: z.boolean().optional() })).optional(),
  security: z.array(z.record(z.string(), z.array(z.string()))).optional(),
  requestBody: z.looseObject({ content: z.record(z.string(), z.unknown()) }).optional(),
  responses: z.record(z.string(), z.looseObject({ description: z.string() })),
});
const documentShape = z.looseObject({
  paths: z.record(z.string(), z.record(z.string(), operation)),
  components: z.looseObject({ schemas: z.record(z.string(), z.unknown()), securitySchemes: z.record(z.string(), z.unknown()) }),
});

async function readDocument(): Promise<z.infer<typeof documentShape>> {
  const response = await send("GET", "/openapi.json");
  expect(response.status).toBe(200);
  expect(response.headers.get("content-type")).toBe("application/json");
  return documentShape.parse(await response.json());
}

/** The headers that a call of the route needs. */
function headersOf({ who, needsIdempotencyKey }: Route): string[] {
  if (who === "S") return ["webhook-id", "webhook-timestamp", "webhook-signature"];
  return needsIdempotencyKey ? ["Idempotency-Key"] : [];
}

/** The paths that callers were promised, in the contract's own words. */
const PROMISED = `
GET /health
GET /health/live
GET /health/ready
GET /health/detailed
GET /health/circuit-breakers
POST /health/circuit-breakers/reset
POST /api/v1/events
PUT /api/v1/events/{}
GET /api/v1/events/{}
POST /api/v1/tickets/types
PUT /api/v1/tickets/types/{}
DELETE /api/v1/tickets/types/{}
GET /api/v1/tickets/types/{}
GET /api/v1/tickets/events/{}/types
POST /api/v1/tickets/purchase
GET /api/v1/tickets/reservations/{}
DELETE /api/v1/tickets/reservations/{}
POST /api/v1/purchase/quote
POST /api/v1/purchase
GET /api/v1/orders
GET /api/v1/orders/{}
GET /api/v1/orders/{}/tickets
POST /api/v1/orders/{}/cancel
GET /api/v1/tickets
GET /api/v1/tickets/{}
GET /api/v1/tickets/users/{}
GET /api/v1/qr/{}/generate
POST /api/v1/qr/validate
POST /api/v1/tickets/validate-qr
POST /api/v1/validation/scan
GET /api/v1/validation/events/{}/stats
POST /mint
GET /mint/{}
GET /mint/jobs
GET /nft/{}
POST /api/v1/webhooks/payments/{}
GET /internal/tickets/{}
GET /internal/orders/{}
POST /internal/orders/{}/mark-paid
`
  .trim()
  .split("\n");

describe("/openapi.json", () => {
  it.each(PROMISED)("has %s, which callers were promised", async (promise) => {
    const { paths } = await readDocument();
    const shown = Object.entries(paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path.replaceAll(/\{\w+\}/g, "{}")}`),
    );
    expect(shown).toContain(promise);
  });

  it("says of each route who may call it, what it takes and how it refuses", async () => {
    const { paths, components } = await readDocument();
    expect(Object.keys(components.securitySchemes)).toEqual(["bearer"]);
    for (const route of ROUTES) {
      const shown = paths[route.path]?.[route.method];
      const where = `${route.method} ${route.path}`;
      expect(shown?.security, where).toEqual(route.who === "P" || route.who === "S" ? undefined : [{ bearer: [] }]);
      const inPath = (shown?.parameters ?? []).filter((parameter) => parameter.in === "path").map(({ name }) => `{${name}}`);
      expect(inPath, where).toEqual(route.path.match(/\{\w+\}/g) ?? []);
      const headers = (shown?.parameters ?? []).filter((parameter) => parameter.in === "header" && parameter.required === true);
      expect(
        headers.map(({ name }) => name),
        where,
      ).toEqual(headersOf(route));
      expect(shown?.requestBody !== undefined, where).toBe((route.body ?? route.signedBody) !== undefined);
      expect(Object.keys(shown?.responses ?? {}).toSorted(), where).toEqual(
        [...Object.keys(route.answers), "default"].toSorted(),
      );
    }
  });

  it("names the shapes that clients are built from, money as integers", async () => {
    const { components } = await readDocument();
    for (const name of ["TicketType", "Reservation", "Order", "Ticket", "Scan", "Event", "Problem"]) {
      expect(Object.keys(components.schemas)).toContain(name);
    }
    const money = [...JSON.stringify(components.schemas).matchAll(/"(\w+Cents)":\{[^}]*?"type":"(\w+)"/g)];
    expect(money.length).toBeGreaterThan(5);
    for (const [, name, type] of money) expect(type, name).toBe("integer");
  });
});
