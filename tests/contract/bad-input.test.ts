import { beforeAll, describe, expect, it } from "vitest";
import { LARGEST_BODY_BYTES } from "#http/middleware/read-body";
import { makeApp, readProblem, send } from "../support/call-service.ts";
import { authorize } from "../support/sign-token.ts";

const KEY = { "idempotency-key": "one-purchase" };
const OFF_CURVE = "8qbHbw2BbbTHBW1sbeqakYXVKRQM8Ne7pLK7m6CVfeR";
const JSON_BODY = { "content-type": "application/json" };

let manager: Readonly<Record<string, string>>;
let eventId: string;

beforeAll(async () => {
  manager = await authorize({ role: "venue_manager" });
  const event = {
    startsAt: "2031-05-01T18:00:00Z",
    endsAt: "2031-05-01T23:00:00Z",
    timezone: "Europe/Berlin",
    currency: "EUR",
  };
  const made = await post("/api/v1/events", { name: "Evening", ...event });
  const body: { id: string } = await made.json();
  eventId = body.id;
});

function post(path: string, body: unknown, headers: Readonly<Record<string, string>> = {}): Promise<Response> {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  return send(path, { method: "POST", headers: { ...manager, ...JSON_BODY, ...headers }, body: text });
}

const ticketType = (change: Readonly<Record<string, unknown>>): unknown => ({
  eventId,
  name: "Floor",
  priceCents: 2_500,
  quantity: 10,
  ...change,
});

const basket = (change: Readonly<Record<string, unknown>>, line: Readonly<Record<string, unknown>> = {}): unknown => ({
  eventId,
  tickets: [{ ticketTypeId: crypto.randomUUID(), quantity: 1, ...line }],
  ...change,
});

describe("a field that says nothing sensible", () => {
  it.each([
    ["priceCents", -1],
    ["priceCents", 9.99],
    ["priceCents", "2500"],
    ["priceCents", 1e12],
    ["priceCents", null],
    ["quantity", 0],
    ["quantity", -5],
    ["quantity", 1.5],
    ["quantity", 1e9],
    ["quantity", "10"],
    ["quantity", true],
    ["name", ""],
    ["name", "   "],
    ["name", "x".repeat(201)],
    ["eventId", "42"],
    ["eventId", "0A4F8F1E-5B1B-4F0E-9C66-0F6C5B0A9F11"],
    ["saleStartsAt", "2031-05-01"],
    ["saleStartsAt", "2031-05-01T18:00:00+02:00"],
    ["saleStartsAt", "2031-02-30T18:00:00Z"],
    ["saleStartsAt", 1_900_000_000],
    ["reservationTtlSeconds", 4],
    ["reservationTtlSeconds", 3601],
    ["taxRateBps", 10_001],
    ["maxPerOrder", 0],
    ["transferable", "yes"],
  ])("is named in the refusal, and nothing is put on sale: %s %j", async (path, value) => {
    const problem = await readProblem(await post("/api/v1/tickets/types", ticketType({ [path]: value })));
    expect(problem).toMatchObject({ status: 400, code: "validation_failed", errors: [{ path }] });
    const listed = await send(`/api/v1/tickets/events/${eventId}/types`);
    expect(await listed.json()).toEqual({ items: [] });
  });

  it.each(["priceCent", "id", "tenantId", "heldCount", "soldCount", "status", "constructor"])(
    "is refused when it is unknown, not dropped: %s",
    async (path) => {
      const problem = await readProblem(await post("/api/v1/tickets/types", ticketType({ [path]: 1 })));
      expect(problem).toMatchObject({ status: 400, errors: [{ path, code: "unknown_field" }] });
    },
  );

  it("is refused when it is called __proto__", async () => {
    const text = JSON.stringify(ticketType({})).replace("{", '{"__proto__":{"priceCents":0},');
    expect(await readProblem(await post("/api/v1/tickets/types", text))).toMatchObject({ status: 400 });
  });
});

describe("a basket that says nothing sensible", () => {
  it.each([
    ["a quantity of 0", basket({}, { quantity: 0 }), "tickets.0.quantity"],
    ["a negative quantity", basket({}, { quantity: -1 }), "tickets.0.quantity"],
    ["half a ticket", basket({}, { quantity: 0.5 }), "tickets.0.quantity"],
    ["a ticket and a half", basket({}, { quantity: 1.5 }), "tickets.0.quantity"],
    ["a thousand million tickets", basket({}, { quantity: 1e9 }), "tickets.0.quantity"],
    ["a huge quantity", basket({}, { quantity: 1e15 }), "tickets.0.quantity"],
    ["a quantity in words", basket({}, { quantity: "two" }), "tickets.0.quantity"],
    ["an id that is no UUID", basket({}, { ticketTypeId: "../../admin" }), "tickets.0.ticketTypeId"],
    ["a price of the buyer's own", basket({}, { priceCents: 1 }), "tickets.0.priceCents"],
    ["no lines", basket({ tickets: [] }), "tickets"],
    ["a total of the buyer's own", basket({ totalCents: 1 }), "totalCents"],
  ])("is refused: %s", async (_, body, path) => {
    for (const route of ["/api/v1/tickets/purchase", "/api/v1/purchase"]) {
      const problem = await readProblem(await post(route, body, KEY));
      expect(problem, route).toMatchObject({ status: 400, code: "validation_failed" });
      expect(problem.errors.map((error) => error.path)).toContain(path);
    }
  });

  it.each([
    ["neither lines nor a reservation", {}],
    ["both lines and a reservation", { ...Object(basket({})), reservationId: crypto.randomUUID() }],
    ["a provider that does not exist", { ...Object(basket({})), paymentProvider: "cash" }],
    ["a wallet that is no address", { ...Object(basket({})), walletAddress: "0xabc" }],
  ])("is refused: %s", async (_, body) => {
    expect(await readProblem(await post("/api/v1/purchase", body, KEY))).toMatchObject({
      status: 400,
      code: "validation_failed",
    });
  });

  it.each([
    ["no base58", "0xabc", "not a base58 address"],
    ["a byte too long", "1".repeat(33), "not an address: not 32 bytes"],
    ["the System program, which people paste for none", "1".repeat(32), "the address of a program"],
    ["the program that its ticket is minted by", "BGUMAp9Gq7iTEuizy4pqaxsTyUCBK68MDfK752saRPUY", "the address of a program"],
    ["an address off the curve, such as a program derives", OFF_CURVE, "nobody can have a key of this address"],
  ])("is refused when its wallet is %s, also by who accepts a ticket", async (_, walletAddress, message) => {
    for (const [route, body] of [
      ["/api/v1/purchase", { ...Object(basket({})), walletAddress }],
      [`/api/v1/transfer/${crypto.randomUUID()}/accept`, { walletAddress }],
    ] as const) {
      const problem = await readProblem(await post(route, body, KEY));
      expect(problem, route).toMatchObject({ status: 400, code: "validation_failed" });
      expect(problem.errors, route).toMatchObject([{ path: "walletAddress", message: expect.stringContaining(message) }]);
    }
  });

  it("of a thousand unknown fields gets an answer of readable length", async () => {
    const body = Object.fromEntries(Array.from({ length: 1_000 }, (_, index) => [`field${index}`, 1]));
    const problem = await readProblem(await post("/api/v1/purchase", body, KEY));
    expect(problem.errors.length).toBeLessThanOrEqual(100);
  });
});

describe("a body that cannot be read", () => {
  it.each(["", "{", "[1,]", "{'name': 1}", "\u0000"])("is a clear 400: %j", async (text) => {
    expect(await readProblem(await post("/api/v1/tickets/types", text))).toMatchObject({ status: 400, code: "malformed_json" });
  });

  it.each([String.raw`{"name":"x\ud800"}`, String.raw`{"name":"\udc00\ud800"}`, String.raw`[{"a":["\ud83d"]}]`])(
    "is a clear 400 with half a character in it, which would be kept as another: %s",
    async (text) => {
      const problem = await readProblem(await post("/api/v1/tickets/types", text));
      expect(problem).toMatchObject({ status: 400, code: "malformed_json" });
    },
  );

  it("may hold any whole character, escaped or not, and it is kept as it is", async () => {
    const name = "\\ud800 \\ 🎸 \u00e9 e\u0301 \u05e9\u05d5 \uffe0";
    const event = { startsAt: "2031-05-01T18:00:00Z", endsAt: "2031-05-01T23:00:00Z", timezone: "UTC", currency: "EUR" };
    const text = JSON.stringify({ name, ...event }).replace("🎸", String.raw`\ud83c\udfb8`);
    const made: { id: string } = await (await post("/api/v1/events", text)).json();
    expect(await (await send(`/api/v1/events/${made.id}`)).json()).toMatchObject({ name });
  });

  it("is no fault of the service when its sender goes away half-way", async () => {
    const app = makeApp({});
    const body = new ReadableStream<Uint8Array>({
      start(controller) {
        controller.enqueue(new TextEncoder().encode('{"name":'));
        controller.error(new Error("Network connection lost."));
      },
    });
    const problem = await readProblem(
      await app.fetch("/api/v1/tickets/types", { method: "POST", headers: { ...manager, ...JSON_BODY }, body }),
    );
    expect(problem).toMatchObject({ status: 400, code: "malformed_json" });
    expect(app.lines.filter(({ level }) => level === "error")).toEqual([]);
  });

  it("is a clear 400 when it is not UTF-8", async () => {
    const headers = { ...manager, ...JSON_BODY };
    const body = new Uint8Array([0x22, 0xff, 0xfe, 0x22]);
    const problem = await readProblem(await send("/api/v1/tickets/types", { method: "POST", headers, body }));
    expect(problem).toMatchObject({ status: 400, code: "malformed_json" });
  });

  it.each(["null", "[]", '"text"', "7"])("is a clear 400 when it is JSON but no object: %s", async (text) => {
    expect(await readProblem(await post("/api/v1/tickets/types", text))).toMatchObject({ code: "validation_failed" });
  });

  it.each(["text/plain", "application/x-www-form-urlencoded", "application/jsonp", "application/json-patch+json", ""])(
    "is 415 as %j, so no form of another site can send it",
    async (type) => {
      const problem = await readProblem(await post("/api/v1/tickets/types", ticketType({}), { "content-type": type }));
      expect(problem).toMatchObject({ status: 415, code: "unsupported_media_type" });
    },
  );

  it("is read whatever the charset's spelling", async () => {
    const type = { "content-type": "Application/JSON; charset=UTF-8" };
    expect(await readProblem(await post("/api/v1/tickets/types", {}, type))).toMatchObject({ code: "validation_failed" });
  });
});

describe("a body over 64 KiB", () => {
  const filler = (bytes: number): string => JSON.stringify({ name: "x".repeat(bytes - '{"name":""}'.length) });

  it("is 413", async () => {
    const response = await post("/api/v1/tickets/types", filler(LARGEST_BODY_BYTES + 1));
    expect(await readProblem(response)).toMatchObject({ status: 413, code: "body_too_large" });
  });

  it("is 413 when it comes in chunks and nobody said how long it is", async () => {
    const chunk = new TextEncoder().encode("x".repeat(1_024));
    let sent = 0;
    const body = new ReadableStream<Uint8Array>({
      pull(controller) {
        sent += 1;
        controller.enqueue(chunk);
        if (sent === 100) controller.close();
      },
    });
    const response = await send("/api/v1/tickets/types", { method: "POST", headers: { ...manager, ...JSON_BODY }, body });
    expect(await readProblem(response)).toMatchObject({ status: 413, code: "body_too_large" });
  });

  it("is 413 for a payment provider too, before anything is verified", async () => {
    const response = await post("/api/v1/webhooks/payments/standard", "x".repeat(LARGEST_BODY_BYTES + 1));
    expect(await readProblem(response)).toMatchObject({ status: 413, code: "body_too_large" });
  });

  it("begins where the limit ends: exactly 64 KiB is read", async () => {
    const response = await post("/api/v1/tickets/types", filler(LARGEST_BODY_BYTES));
    expect(await readProblem(response)).toMatchObject({ status: 400, code: "validation_failed" });
  });
});

describe("a request that makes something", () => {
  it.each([
    ["none", undefined],
    ["an empty one", ""],
    ["one of 256 characters", "x".repeat(256)],
    ["one of 300 characters", "x".repeat(300)],
    ["one beyond ASCII", "schlüssel"],
  ])("is refused without a usable Idempotency-Key: %s", async (_what, key) => {
    for (const route of ["/api/v1/tickets/purchase", "/api/v1/purchase", `/api/v1/orders/${crypto.randomUUID()}/cancel`]) {
      const response = await post(route, basket({}), key === undefined ? {} : { "idempotency-key": key });
      expect(await readProblem(response), route).toMatchObject({ status: 400, code: "idempotency_key_required" });
    }
  });
});

describe("an id in the path that is no lower-case UUID", () => {
  it.each([
    "/api/v1/orders/1",
    "/api/v1/tickets/0A4F8F1E-5B1B-4F0E-9C66-0F6C5B0A9F11",
    "/api/v1/tickets/%2e%2e%2fx",
    "/mint/%00",
  ])("is a clear 400: %s", async (path) => {
    expect(await readProblem(await send(path, { headers: manager }))).toMatchObject({ status: 400, code: "validation_failed" });
  });
});

describe("a page that nobody can turn to", () => {
  it.each(["limit=0", "limit=101", "limit=ten", "limit=1.5", "limit=", "limit=0x10", "limit=1e1", "cursor=nowhere"])(
    "is a clear 400: ?%s",
    async (query) => {
      const problem = await readProblem(await send(`/api/v1/orders?${query}`, { headers: manager }));
      expect(problem).toMatchObject({ status: 400, code: "validation_failed" });
    },
  );
});
