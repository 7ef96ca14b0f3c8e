import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { configureLog, createLogger } from "#platform/logger";

const SECRETS = {
  jwt: [{ alg: "RS256" }, { sub: "1", tenant_id: "2" }, "signature-signature"]
    .map((part) => btoa(JSON.stringify(part)).replaceAll("=", ""))
    .join("."),
  webhookSecret: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
  webhookSignature: "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
  stripeSignature: `v1=${"0a1b2c3d".repeat(8)}`,
  stripeKey: ["rk", "live", "51Hq8ZtKx0a1b2c3d"].join("_"),
  stripeClientSecret: "_secret_Dm43xiq1k0ywrRRjDoi8y1gkM",
  email: "ada.lovelace@example.org",
  code: "T1" + "aZ0_-".repeat(28) + "x",
} as const;

let lines: string[];

beforeEach(() => {
  lines = [];
  const capture = (line: unknown): void => void lines.push(String(line));
  for (const method of ["log", "debug", "info", "warn", "error"] as const)
    vi.spyOn(console, method).mockImplementation(capture);
  configureLog("debug");
});
afterEach(() => {
  vi.restoreAllMocks();
});

describe("a log line", () => {
  it("is one JSON object with the request id, the level and its facts", () => {
    createLogger("http").with({ requestId: "r-1" }).info("request refused", { status: 404, path: "/nft/{ticketId}" });
    expect(lines).toHaveLength(1);
    expect(JSON.parse(lines[0] ?? "")).toMatchObject({
      level: "INFO",
      message: "request refused",
      logger: "tickets.http",
      requestId: "r-1",
      status: 404,
      path: "/nft/{ticketId}",
    });
  });

  it("stays one line whatever is in it", () => {
    createLogger("http").warn("two\nlines", { reason: 'a "quoted"\nnext line' });
    expect(lines).toHaveLength(1);
    expect(lines[0]).not.toContain("\n");
  });

  it.each(Object.entries(SECRETS))("never shows a %s, wherever it stands", (_, secret) => {
    const logger = createLogger("http");
    logger.info("plain", { note: `before ${secret} after` });
    logger.info("deep", { deep: { deeper: [{ note: secret }] } });
    logger.error("thrown", { error: new Error(`failed for ${secret}`) });
    logger.with({ note: secret }).info("always");
    expect(lines).toHaveLength(4);
    expect(lines.join("\n")).not.toContain(secret);
    expect(lines.join("\n")).toContain("before");
  });

  it.each([
    "authorization",
    "Idempotency-Key",
    "idempotencyKey",
    "webhook-signature",
    "stripe-signature",
    "signature",
    "qr",
    "nonce",
    "receipt",
    "credential",
    "clientSecret",
    "accessToken",
    "password",
    "toEmail",
    "walletPrivateKey",
    "wireBase64",
  ])("never shows a field called %s, whatever its value looks like", (name) => {
    createLogger("http").info("line", { [name]: "short-1", headers: { [name]: "short-2" } });
    expect(lines[0]).not.toMatch(/short-[12]/);
  });

  it("keeps what an operator needs: ids, refusals, variable names, times", () => {
    const fields = { orderId: crypto.randomUUID(), refusal: "sold_out", variable: "JWT_JWKS", tookMs: 12, attempts: 3 };
    createLogger("http").info("line", fields);
    expect(JSON.parse(lines[0] ?? "")).toMatchObject(fields);
  });

  it("of a failed query has neither its SQL nor its parameters", () => {
    const failed = Object.assign(
      new Error("Failed query: select * from orders where id = ?\nparams: order-x", { cause: new Error("D1 down") }),
      {
        query: "select * from orders where id = ?",
        params: ["order-x"],
      },
    );
    createLogger("http").error("request failed", { error: failed });
    expect(lines[0]).toContain("D1 down");
    expect(lines[0]).not.toMatch(/select|order-x/);
  });

  it("below the configured level is not written", () => {
    configureLog("warning");
    const logger = createLogger("http");
    logger.info("no");
    logger.debug("no");
    logger.warn("yes");
    expect(lines.map((line) => /"message":"(\w+)"/.exec(line)?.[1])).toEqual(["yes"]);
  });
});
