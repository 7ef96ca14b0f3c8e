import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { compose } from "#src/compose";
import type { VariableName } from "#src/config";
import { makeApp, readProblem } from "../support/call-service.ts";
import { authorize } from "../support/sign-token.ts";

const REQUIRED: readonly VariableName[] = [
  "JWT_ISSUER",
  "JWT_AUDIENCE",
  "JWT_JWKS",
  "PAYMENT_WEBHOOK_SECRETS",
  "INTERNAL_WEBHOOK_SECRETS",
  "CREDENTIAL_SIGNING_KEYS",
  "SANDBOX_PAYMENT_URL",
  "SOLANA_RPC_URL",
  "SOLANA_WALLET_PRIVATE_KEY",
  "SOLANA_TREE",
  "PUBLIC_BASE_URL",
];

describe("a service without one of its variables", () => {
  it.each(REQUIRED)("answers nothing at all, and the log names it: %s", async (name) => {
    const app = makeApp({ env: { [name]: "" }, compose });
    const headers = await authorize({ role: "admin" });
    for (const path of ["/health", "/api/v1/orders", "/openapi.json", "/nowhere"]) {
      expect(await readProblem(await app.fetch(path, { headers })), path).toMatchObject({ status: 503, code: "misconfigured" });
    }
    expect(app.lines.map(({ level, fields }) => [level, fields["variable"]])).toContainEqual(["error", name]);
  });

  it("tells callers neither the name nor the value, and the log never the value", async () => {
    const value = "whsec_ThisIsNotBase64!!";
    const app = makeApp({ env: { PAYMENT_WEBHOOK_SECRETS: value }, compose });
    const response = await app.fetch("/health");
    expect(response.status).toBe(503);
    expect(await response.text()).not.toMatch(/PAYMENT|whsec/);
    expect(JSON.stringify(app.lines)).toContain("PAYMENT_WEBHOOK_SECRETS");
    expect(JSON.stringify(app.lines)).not.toContain("ThisIsNot");
  });

  it("works with all of them: the tests above are not refused for another reason", async () => {
    expect(compose({ ...env }).ok).toBe(true);
    expect((await makeApp({ compose }).fetch("/health")).status).toBe(200);
  });
});
