import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { generateDevelopmentSecrets } from "#dev/dev-vars";
import { generateCredentialKey, generateWebhookSecret } from "#dev/secrets";

/** What this test uses of src/config.ts, whose own types name bindings of the Worker that do not exist here. */
interface ConfigModule {
  readonly VARIABLE_NAMES: readonly string[];
  readonly parseConfig: (
    variables: Readonly<Record<string, unknown>>,
  ) =>
    | { readonly ok: true; readonly value: Readonly<Record<string, unknown>> }
    | { readonly ok: false; readonly failure: readonly { readonly variable: string; readonly problem: string }[] };
}

const OPTIONAL = [
  "JWT_JWKS_URL",
  "STRIPE_WEBHOOK_SECRETS",
  "STRIPE_SECRET_KEY",
  "STRIPE_API_BASE",
  "SOLANA_PAYER_FLOOR_LAMPORTS",
  "SOLANA_PRIORITY_FEE_CAP",
  "SOLANA_LOOKUP_TABLE",
  "SOLANA_TRANSACTION_VERSION",
  "SOLANA_COLLECTION",
  "SOLANA_CLUSTER",
  "ORDER_DESKS_PER_TENANT",
  "TRANSFER_TTL_SECONDS",
  "TAX_ROUNDING",
  "DEFAULT_RESERVATION_TTL_SECONDS",
  "LOG_LEVEL",
];

let config: ConfigModule;
let good: Readonly<Record<string, string>>;

beforeAll(async () => {
  config = (await import(new URL("../../src/config.ts", import.meta.url).href)) as ConfigModule; // its types say more
  good = (await generateDevelopmentSecrets()).variables;
});

function problemsOf(change: Readonly<Record<string, unknown>>): readonly { variable: string; problem: string }[] {
  const parsed = config.parseConfig({ ...good, ...change });
  return parsed.ok ? [] : parsed.failure;
}

describe("the configuration", () => {
  it("is accepted as npm start makes it", () => {
    expect(problemsOf({})).toEqual([]);
  });

  it("has no default for anything that must be given: each is missed by name", () => {
    const required = config.VARIABLE_NAMES.filter((name) => !OPTIONAL.includes(name));
    expect(required.length).toBeGreaterThanOrEqual(11);
    for (const name of required) {
      for (const nothing of [undefined, ""]) {
        const problems = problemsOf({ [name]: nothing });
        expect(
          problems.map(({ variable }) => variable),
          name,
        ).toEqual([name]);
        expect(problems[0]?.problem).toContain("missing");
      }
    }
  });

  it("does without what is optional", () => {
    expect(problemsOf(Object.fromEntries(OPTIONAL.map((name) => [name, undefined])))).toEqual([]);
  });

  it("lists all that is wrong at once, so nobody fixes one and meets the next", () => {
    const parsed = config.parseConfig({});
    const missed = parsed.ok ? [] : parsed.failure.map(({ variable }) => variable);
    expect(missed.toSorted()).toEqual(config.VARIABLE_NAMES.filter((name) => !OPTIONAL.includes(name)).toSorted());
  });

  it.each([
    ["JWT_JWKS", "{"],
    ["JWT_JWKS", '{"keys":[]}'],
    ["JWT_JWKS_URL", "http://issuer.example/jwks"],
    ["JWT_JWKS_URL", "issuer"],
    ["PAYMENT_WEBHOOK_SECRETS", "hunter2hunter2hunter2hunter2"],
    ["PAYMENT_WEBHOOK_SECRETS", "whsec_short"],
    ["PAYMENT_WEBHOOK_SECRETS", generateWebhookSecret().replace("=", "")],
    ["INTERNAL_WEBHOOK_SECRETS", "whsec_?not-base64-at-all?"],
    ["STRIPE_WEBHOOK_SECRETS", ","],
    ["STRIPE_WEBHOOK_SECRETS", "whsec_with blanks in it, or a comma"],
    ["STRIPE_API_BASE", "api.stripe.com"],
    ["STRIPE_API_BASE", "https://api.stripe.com/v1"],
    ["CREDENTIAL_SIGNING_KEYS", "seed-without-an-id-0123456789012345678901234567"],
    ["CREDENTIAL_SIGNING_KEYS", "1:tooshort"],
    ["CREDENTIAL_SIGNING_KEYS", generateCredentialKey(1).replace("1:", "0:")],
    ["CREDENTIAL_SIGNING_KEYS", generateCredentialKey(1).replace("1:", "256:")],
    ["CREDENTIAL_SIGNING_KEYS", `${generateCredentialKey(7)},${generateCredentialKey(7)}`],
    ["SANDBOX_PAYMENT_URL", "ftp://payments.example"],
    ["SOLANA_RPC_URL", "localhost"],
    ["SOLANA_RPC_URL", "https://one.example,two"],
    ["SOLANA_RPC_URL", "https://1.example,https://2.example,https://3.example,https://4.example"],
    ["SOLANA_PAYER_FLOOR_LAMPORTS", "-1"],
    ["SOLANA_PRIORITY_FEE_CAP", "dear me"],
    ["SOLANA_WALLET_PRIVATE_KEY", "[1,2,3]"],
    ["SOLANA_TREE", "0OIl"],
    ["SOLANA_COLLECTION", "not an address"],
    ["PUBLIC_BASE_URL", "tickets.example"],
    ["ORDER_DESKS_PER_TENANT", "0"],
    ["ORDER_DESKS_PER_TENANT", "257"],
    ["ORDER_DESKS_PER_TENANT", "four"],
    ["TRANSFER_TTL_SECONDS", "59"],
    ["TRANSFER_TTL_SECONDS", "7776001"],
    ["TAX_ROUNDING", "sum_by_gross"],
    ["DEFAULT_RESERVATION_TTL_SECONDS", "4"],
    ["DEFAULT_RESERVATION_TTL_SECONDS", "3601"],
    ["LOG_LEVEL", "verbose"],
  ])("refuses a malformed %s by its name and never shows the value (case %#)", (name, value) => {
    const problems = problemsOf({ [name]: value });
    expect(new Set(problems.map(({ variable }) => variable))).toEqual(new Set([name]));
    for (const { problem } of problems) {
      expect(problem).not.toBe("");
      if (value.length > 4) expect(problem).not.toContain(value);
    }
  });

  it("takes one Solana node or several, in the order in which they are asked", () => {
    const read = (given: string): unknown => {
      const parsed = config.parseConfig({ ...good, SOLANA_RPC_URL: given });
      return parsed.ok ? parsed.value["SOLANA_RPC_URL"] : parsed.failure;
    };
    expect(read("https://one.example")).toBe("https://one.example");
    expect(read("https://one.example/?key=a , https://two.example")).toBe("https://one.example/?key=a,https://two.example");
  });

  it("keeps the order of a ring, newest first, and forgives blanks around its entries", () => {
    const secrets = [generateWebhookSecret(), generateWebhookSecret(), generateWebhookSecret()];
    const parsed = config.parseConfig({ ...good, PAYMENT_WEBHOOK_SECRETS: ` ${secrets.join(" , ")} ` });
    expect(parsed.ok && parsed.value["PAYMENT_WEBHOOK_SECRETS"]).toEqual(secrets);
  });

  it("refuses a ring that makes each webhook cost more tries than a rotation needs", () => {
    const ring = (length: number): string => Array.from({ length }, () => generateWebhookSecret()).join(",");
    expect(problemsOf({ PAYMENT_WEBHOOK_SECRETS: ring(8) })).toEqual([]);
    expect(problemsOf({ PAYMENT_WEBHOOK_SECRETS: ring(9) })).toMatchObject([{ variable: "PAYMENT_WEBHOOK_SECRETS" }]);
  });

  it("takes the secrets that Stripe really makes, which are text and no base64", () => {
    const dashboard = `whsec_${"Ab3dE".repeat(6)}Zz`;
    const commandLine = `whsec_${"0a1b2c3d".repeat(8)}`;
    expect(problemsOf({ STRIPE_WEBHOOK_SECRETS: `${dashboard},${commandLine}` })).toEqual([]);
  });

  it("asks Stripe itself when no other address is named", () => {
    const parsed = config.parseConfig({ ...good, STRIPE_API_BASE: undefined });
    expect(parsed.ok && parsed.value["STRIPE_API_BASE"]).toBe("https://api.stripe.com");
  });

  it("takes a key server's address in place of the keys themselves", () => {
    expect(problemsOf({ JWT_JWKS: undefined, JWT_JWKS_URL: "https://issuer.example/.well-known/jwks.json" })).toEqual([]);
  });
});

describe(".dev.vars.example", () => {
  it("lists exactly what the code reads, each once and with a comment above it", async () => {
    const lines = (await readFile(join(import.meta.dirname, "../../.dev.vars.example"), "utf8")).split("\n");
    const listed = lines.flatMap((line, index) => {
      const name = /^(?:# )?([A-Z][A-Z0-9_]+)=/.exec(line)?.[1];
      return name === undefined ? [] : [{ name, above: lines[index - 1] ?? "" }];
    });
    expect(listed.map(({ name }) => name).toSorted()).toEqual(config.VARIABLE_NAMES.toSorted());
    for (const { name, above } of listed) expect(above, name).toMatch(/^# (?![A-Z0-9_]+=)/);
  });

  it("holds no secret: what must be random stands empty", async () => {
    const text = await readFile(join(import.meta.dirname, "../../.dev.vars.example"), "utf8");
    expect(text).not.toMatch(/^(# )?\w*(SECRET|KEY|JWKS)\w*=(?!https:).+$/m);
  });
});
