import { afterEach, describe, expect, it } from "vitest";
import { preview } from "#http/routes/door/preview";
import { scan, validateQr } from "#http/routes/door/scan";
import { scanShape } from "#http/routes/door/scan-shape";
import { getGateStats } from "#http/routes/door/get-gate-stats";
import { showCode } from "#http/routes/door/show-code";
import { isFailure, type Route } from "#http/route";
import { closeDoors, makeDoor, type Door } from "../support/make-door.ts";
import { contextOf, makeCode } from "../support/scan-at-door.ts";

afterEach(closeDoors);

interface Call {
  readonly userId?: string;
  readonly body?: unknown;
  readonly params?: Readonly<Record<string, string>>;
  readonly accept?: string;
}

/** Calls a declared route as the dispatcher does, past authentication. */
async function call(
  door: Door,
  route: Route,
  { userId, body, params = {}, accept }: Call,
): Promise<{ status: number; body: unknown; headers: Headers }> {
  const ctx = contextOf({ tenantId: door.tenantId, ...(userId === undefined ? {} : { userId }) });
  const headers = { "content-type": "application/json", ...(accept === undefined ? {} : { accept }) };
  const request = new Request(`https://tickets.test${route.path}`, {
    method: route.method,
    headers,
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const answer = await route.answer({ request, params, ctx, principal: ctx.principal });
  if (isFailure(answer)) return { status: 0, body: answer, headers: new Headers() };
  const text = await answer.text();
  const isJson = answer.headers.get("content-type") === "application/json";
  return { status: answer.status, body: isJson ? JSON.parse(text) : text, headers: answer.headers };
}

describe("the scan over HTTP", () => {
  it.each([
    ["/api/v1/validation/scan", scan],
    ["/api/v1/tickets/validate-qr", validateQr],
  ])("answers at %s in the contract's shape, first in and then refused", async (path, route) => {
    expect(route.path).toBe(path);
    const door = await makeDoor();
    const body = { qr: await makeCode(door), eventId: door.eventId, type: "entry" };
    const first = scanShape.strict().parse((await call(door, route, { body })).body);
    expect(first).toMatchObject({ result: "admitted", reason: null, entryCount: 1, firstAdmittedAt: first.admittedAt });
    expect(first.admittedAt).toMatch(/Z$/);
    const second = scanShape.strict().parse((await call(door, route, { body })).body);
    expect(second).toMatchObject({
      result: "refused",
      reason: "already_redeemed",
      admittedAt: null,
      firstAdmittedAt: first.admittedAt,
    });
  });

  it.each([
    ["an unknown field", { gate: 1 }],
    ["no direction", { type: undefined }],
    ["a direction that does not exist", { type: "sideways" }],
    ["an event that is no UUID", { eventId: "1" }],
    ["a nonce that is empty", { nonce: "" }],
    ["a time without zone", { scannedAt: "2026-01-01T00:00:00" }],
    ["a code longer than any QR code", { qr: "A".repeat(5_000) }],
  ])("with %s is a clear problem and no scan", async (_, changes) => {
    const door = await makeDoor();
    const body = { qr: await makeCode(door), eventId: door.eventId, type: "entry", ...changes };
    expect((await call(door, scan, { body })).body).toMatchObject({ code: "validation_failed" });
    expect((await door.gate.stats(door.tenantId))?.lists).toEqual([]);
  });

  it("is for door staff and above", () => {
    for (const route of [scan, validateQr, preview, getGateStats]) expect(route.who, route.path).toBe("D");
  });
});

it("previews a code in the same shape, without a receipt", async () => {
  const door = await makeDoor();
  const { body } = await call(door, preview, { body: { qr: await makeCode(door) } });
  expect(scanShape.strict().parse(body)).toMatchObject({ result: "admitted", receipt: null });
});

it("counts at the door in the documented shape", async () => {
  const door = await makeDoor();
  const { body } = await call(door, getGateStats, { params: { eventId: door.eventId } });
  expect(getGateStats.answers[200]?.schema?.safeParse(body).success).toBe(true);
  expect(body).toMatchObject({ eventId: door.eventId, lists: [{ listId: null, sold: 3, admitted: 0, inside: 0 }] });
});

describe("the holder's code", () => {
  it("is never kept by a cache, as JSON or as a picture", async () => {
    const door = await makeDoor();
    const ticketId = await door.sellTicket(undefined, "holder");
    const asJson = await call(door, showCode, { userId: "holder", params: { ticketId }, accept: "*/*" });
    expect(showCode.answers[200]?.schema?.safeParse(asJson.body).success).toBe(true);
    const asPicture = await call(door, showCode, { userId: "holder", params: { ticketId }, accept: "image/svg+xml" });
    expect(asPicture.headers.get("content-type")).toBe("image/svg+xml");
    expect(asPicture.body).toMatch(/^<svg /);
    for (const { headers } of [asJson, asPicture]) expect(headers.get("cache-control")).toBe("no-store");
  });
});
