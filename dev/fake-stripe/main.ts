/**
 * Runs the fake Stripe as its own process:
 * `node dev/fake-stripe/main.ts --port 8790 --webhook-url http://localhost:8787/api/v1/webhooks/payments/stripe`
 *
 * Takes the key of `STRIPE_SECRET_KEY` and signs events with every secret of `STRIPE_WEBHOOK_SECRETS`. Prints its address when
 * it is ready.
 */
import { parseArgs } from "node:util";
import { startFakeStripe } from "./start-fake-stripe.ts";

function exitWith(message: string): never {
  console.error(message);
  process.exit(1);
}

const { values } = parseArgs({ options: { port: { type: "string" }, "webhook-url": { type: "string" } } });
const webhookUrl = values["webhook-url"];
const port = Number(values.port);
if (webhookUrl === undefined || !Number.isInteger(port)) exitWith("usage: main.ts --port N --webhook-url URL");

const secretKey = process.env["STRIPE_SECRET_KEY"];
const webhookSecrets = (process.env["STRIPE_WEBHOOK_SECRETS"] ?? "").split(",").map((secret) => secret.trim());
if (!secretKey) exitWith("STRIPE_SECRET_KEY must be set");
if (!webhookSecrets.every((secret) => secret.startsWith("whsec_")))
  exitWith("STRIPE_WEBHOOK_SECRETS must hold whsec_… secrets");

const stripe = await startFakeStripe({ port, webhookUrl, webhookSecrets, secretKey });
console.log(`fake Stripe on ${stripe.url}`);

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.once(signal, () => {
    void stripe.close().then(() => process.exit(0));
  });
}
