import { describe, expect, it } from "vitest";
import { z } from "zod";
import type { Route } from "#http/route";
import { ROUTES } from "#http/routes";
import { nameOf, send } from "../support/contract-call.ts";

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

/**
 * The routes that callers were promised, in the contract's own words: who may call (P anyone, S who signs, A any user, D door
 * staff, M venue managers, O admins), whether an Idempotency-Key is needed (K), method and path. The access tests are made
 * from the declarations; this list is what the declarations themselves are held against.
 */
const PROMISED = `
P   GET /health
P   GET /health/live
P   GET /health/ready
O   GET /health/detailed
O   GET /health/circuit-breakers
O   POST /health/circuit-breakers/reset
M   POST /api/v1/events
M   PUT /api/v1/events/{}
P   GET /api/v1/events/{}
M   POST /api/v1/tickets/types
M   PUT /api/v1/tickets/types/{}
M   DELETE /api/v1/tickets/types/{}
P   GET /api/v1/tickets/types/{}
P   GET /api/v1/tickets/events/{}/types
A K POST /api/v1/tickets/purchase
A   GET /api/v1/tickets/reservations/{}
A   DELETE /api/v1/tickets/reservations/{}
A   POST /api/v1/purchase/quote
A K POST /api/v1/purchase
A   GET /api/v1/orders
A   GET /api/v1/orders/{}
A   GET /api/v1/orders/{}/tickets
A K POST /api/v1/orders/{}/cancel
A   GET /api/v1/tickets
A   GET /api/v1/tickets/{}
A   GET /api/v1/tickets/users/{}
A   GET /api/v1/qr/{}/generate
D   POST /api/v1/qr/validate
D   POST /api/v1/tickets/validate-qr
D   POST /api/v1/validation/scan
D   GET /api/v1/validation/events/{}/stats
O K POST /mint
A   GET /mint/{}
O   GET /mint/jobs
P   GET /nft/{}
S   POST /api/v1/webhooks/payments/{}
S   GET /internal/tickets/{}
S   GET /internal/orders/{}
S   POST /internal/orders/{}/mark-paid
`
  .trim()
  .split("\n");

describe("/openapi.json", () => {
  it.each(PROMISED)("has what callers were promised, for whom it was promised: %s", async (promise) => {
    const { paths } = await readDocument();
    const [, who, key, call = ""] = /^(\w) ([ K]) (.+)$/.exec(promise) ?? [];
    const promised = ROUTES.filter((route) => nameOf(route).replaceAll(/\{\w+\}/g, "{}") === call);
    expect(promised).toMatchObject([{ who, needsIdempotencyKey: key === "K" }]);
    const [route] = promised;
    expect(route && paths[route.path]).toHaveProperty(route?.method ?? "");
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
