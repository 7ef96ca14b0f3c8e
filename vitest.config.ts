import { cloudflareTest, readD1Migrations } from "@cloudflare/vitest-pool-workers";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { defineConfig, type Plugin } from "vitest/config";
import {
  generateCredentialKey,
  generateJwtKeyPair,
  generateSolanaAddress,
  generateSolanaWallet,
  generateStripeSecretKey,
  generateWebhookSecret,
  toJwksText,
} from "./dev/secrets.ts";
import { readWorkerOptions } from "./dev/read-worker-options.ts";

// Miniflare would fetch a sample `request.cf` from the network, and wrangler would report usage.
process.env["CLOUDFLARE_CF_FETCH_ENABLED"] = "false";
process.env["WRANGLER_SEND_METRICS"] = "false";

const jwtKeys = generateJwtKeyPair();

/** Every variable and secret of the service, made anew for each run, and what only tests see (`TEST_…`). */
const bindings = {
  JWT_ISSUER: "https://issuer.test",
  JWT_AUDIENCE: "edge-tickets-tests",
  JWT_JWKS: toJwksText([jwtKeys.publicJwk]),
  PAYMENT_WEBHOOK_SECRETS: `${generateWebhookSecret()},${generateWebhookSecret()}`,
  STRIPE_WEBHOOK_SECRETS: `${generateWebhookSecret()},${generateWebhookSecret()}`,
  STRIPE_SECRET_KEY: generateStripeSecretKey(),
  STRIPE_API_BASE: "https://stripe.test",
  INTERNAL_WEBHOOK_SECRETS: generateWebhookSecret(),
  CREDENTIAL_SIGNING_KEYS: `${generateCredentialKey(2)},${generateCredentialKey(1)}`,
  SANDBOX_PAYMENT_URL: "http://payments.test",
  SOLANA_RPC_URL: "http://solana.test",
  SOLANA_WALLET_PRIVATE_KEY: generateSolanaWallet(),
  SOLANA_TREE: generateSolanaAddress(),
  SOLANA_COLLECTION: generateSolanaAddress(),
  SOLANA_CLUSTER: "localnet",
  PUBLIC_BASE_URL: "https://tickets.test",
  TEST_JWT_PRIVATE_JWK: JSON.stringify(jwtKeys.privateJwk),
  TEST_D1_MIGRATIONS: await readD1Migrations(join(import.meta.dirname, "migrations/d1")),
};

/** Imports of `.sql` files give their text, as wrangler's Text rule does in the Worker. */
const sqlAsText: Plugin = {
  name: "sql-as-text",
  enforce: "pre",
  async load(id) {
    if (!id.endsWith(".sql")) return undefined;
    return `export default ${JSON.stringify(await readFile(id, "utf8"))};`;
  },
};

/** No test is about time: this only ends one that hangs, also on a busy machine. */
const PATIENCE_MS = 60_000;
/** On a shared CI machine that stalls for seconds, an alarm may come between two steps of a test: it gets another go there. */
const RETRIES = process.env["CI"] === "true" ? 2 : 0;

export default defineConfig({
  test: {
    // Vitest would leave a core free; files mostly wait for a runtime to start, so on two cores that costs half the time.
    maxWorkers: 2,
    projects: [
      {
        plugins: [sqlAsText],
        test: {
          name: "unit",
          // The simulation runs the Durable Objects in Node, on a base class of its own.
          alias: { "cloudflare:workers": join(import.meta.dirname, "dev/simulate/durable-object-base.ts") },
          environment: "node",
          retry: RETRIES,
          testTimeout: PATIENCE_MS,
          hookTimeout: PATIENCE_MS,
          include: ["tests/unit/**/*.test.ts", "tests/simulation/**/*.test.ts"],
        },
      },
      {
        plugins: [
          // Tests call the queues' consumers themselves: here no chain answers, and a message would come back for an hour.
          cloudflareTest({ main: "./src/index.ts", miniflare: { ...readWorkerOptions(), queueConsumers: {}, bindings } }),
        ],
        test: {
          name: "workerd",
          retry: RETRIES,
          testTimeout: PATIENCE_MS,
          hookTimeout: PATIENCE_MS,
          include: ["tests/workerd/**/*.test.{ts,tsx}", "tests/contract/**/*.test.ts"],
          setupFiles: ["./tests/support/prepare-file.ts"],
        },
      },
    ],
  },
});
