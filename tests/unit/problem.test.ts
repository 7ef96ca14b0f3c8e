import { describe, expect, it } from "vitest";
import type { Failure } from "#domain/failure";
import { presentFailure, PROBLEMS, toRefusal, type Problem } from "#http/problem";

const TYPE_ID = "0a4f8f1e-5b1b-4f0e-9c66-0f6c5b0a9f11";

async function read(failure: Failure): Promise<{ readonly problem: Problem; readonly headers: Headers }> {
  const response = presentFailure(failure, "request-1");
  expect(response.headers.get("content-type")).toBe("application/problem+json");
  const problem = (await response.json()) as Problem; // judged by the expectations of each test
  expect(problem.status).toBe(response.status);
  return { problem, headers: response.headers };
}

describe("a problem", () => {
  it("has every member of RFC 9457 and the service's own", async () => {
    const { problem } = await read({ code: "not_found", what: "order" });
    expect(problem).toEqual({
      type: "/problems/not_found",
      title: PROBLEMS.not_found.title,
      status: 404,
      detail: "There is no such order.",
      instance: "request-1",
      code: "not_found",
      errors: [],
    });
  });

  it("tells who asks for a path that is none where all paths are", async () => {
    const { problem } = await read({ code: "not_found", what: "path" });
    expect(problem.detail).toBe("There is no such path; /openapi.json lists them all.");
  });

  it("says which ticket types are short, and how many are left of each", async () => {
    const { problem } = await read({ code: "sold_out", shortages: [{ ticketTypeId: TYPE_ID, availableCount: 3 }] });
    expect(problem.status).toBe(409);
    expect(problem.errors).toEqual([
      { path: TYPE_ID, code: "sold_out", message: "3 left", ticketTypeId: TYPE_ID, availableCount: 3 },
    ]);
  });

  it("says which of the tickets are not valid where several were named", async () => {
    const { problem } = await read({ code: "ticket_not_valid", ticketIds: [TYPE_ID] });
    expect(problem.errors).toEqual([{ path: TYPE_ID, code: "ticket_not_valid", message: problem.title }]);
    expect((await read({ code: "ticket_not_valid" })).problem.errors).toEqual([]);
  });

  it("names the field that is wrong", async () => {
    const errors = [{ path: "tickets.0.quantity", code: "too_small", message: "at least 1" }];
    expect((await read({ code: "validation_failed", errors })).problem.errors).toEqual(errors);
  });

  it.each<[Failure, number, string, string]>([
    [{ code: "unauthenticated", detail: "The token has expired." }, 401, "www-authenticate", "Bearer"],
    [{ code: "method_not_allowed", allow: ["GET", "HEAD"] }, 405, "allow", "GET, HEAD"],
    [{ code: "rate_limited", retryAfterSeconds: 10 }, 429, "retry-after", "10"],
    [{ code: "client_blocked", retryAfterSeconds: 60 }, 403, "retry-after", "60"],
    [{ code: "overloaded", retryAfterSeconds: 1 }, 503, "retry-after", "1"],
    [{ code: "payment_provider_down", retryAfterSeconds: 7 }, 503, "retry-after", "7"],
    [{ code: "token_keys_unavailable", retryAfterSeconds: 5 }, 503, "retry-after", "5"],
  ])("tells machines what to do next: $code", async (failure, status, header, value) => {
    const { problem, headers } = await read(failure);
    expect(problem.status).toBe(status);
    expect(headers.get(header)).toContain(value);
  });

  it("is never kept by a cache, or a buyer would see yesterday's refusal", async () => {
    expect((await read({ code: "not_found", what: "event" })).headers.get("cache-control")).toBe("no-store");
  });

  it("says when it is the first answer again", () => {
    const failure = { code: "order_not_pending" } as const;
    expect(presentFailure(toRefusal({ failure, replayed: true }), "r").headers.get("idempotency-replayed")).toBe("true");
    expect(presentFailure(toRefusal({ failure, replayed: false }), "r").headers.get("idempotency-replayed")).toBeNull();
  });
});

describe("the table of problems", () => {
  it("has stable codes and the statuses that the contract fixes", () => {
    for (const [code, { status, title }] of Object.entries(PROBLEMS)) {
      expect(code).toMatch(/^[a-z]+(_[a-z]+)*$/);
      expect(status, code).toBeGreaterThanOrEqual(400);
      expect(title, code).toMatch(/^[A-Z].*[^.]$/);
    }
    const fixed = {
      quantity_out_of_range: 422,
      user_blacklisted: 403,
      idempotency_key_required: 400,
      idempotency_key_reused: 422,
    };
    const refusals = {
      sold_out: 409,
      not_on_sale: 409,
      user_limit_reached: 409,
      reservation_expired: 409,
      order_not_pending: 409,
    };
    const others = {
      capacity_below_committed: 409,
      request_in_flight: 409,
      payment_provider_unavailable: 422,
      misconfigured: 503,
    };
    for (const [code, status] of Object.entries({ ...fixed, ...refusals, ...others })) {
      expect(PROBLEMS, code).toHaveProperty(code, expect.objectContaining({ status }));
    }
  });
});
