/**
 * Runs the sandbox payment provider as its own process:
 * `node dev/sandbox-provider/main.ts --port 8788 --webhook-url http://localhost:8787/api/v1/webhooks/payments/standard`
 *
 * Events are signed with the first secret of `PAYMENT_WEBHOOK_SECRETS`. Prints its address when it is ready.
 */
import { parseArgs } from "node:util";
import { startSandboxProvider } from "./start-sandbox-provider.ts";

const USAGE = "usage: main.ts --port N --webhook-url URL [--checkout-return-url URL]";

function exitWith(message: string): never {
  console.error(message);
  process.exit(1);
}

const { values } = parseArgs({
  options: {
    port: { type: "string" },
    "webhook-url": { type: "string" },
    "checkout-return-url": { type: "string" },
  },
});
const webhookUrl = values["webhook-url"];
const checkoutReturnUrl = values["checkout-return-url"];
const port = Number(values.port);
if (webhookUrl === undefined || !Number.isInteger(port)) exitWith(USAGE);

const webhookSecret = process.env["PAYMENT_WEBHOOK_SECRETS"]?.split(",")[0]?.trim();
if (!webhookSecret?.startsWith("whsec_")) exitWith("PAYMENT_WEBHOOK_SECRETS must hold at least one whsec_… secret");

const provider = await startSandboxProvider({
  port,
  webhookUrl,
  webhookSecret,
  ...(checkoutReturnUrl === undefined ? {} : { checkoutReturnUrl }),
});
console.log(`sandbox payment provider on ${provider.url}`);

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.once(signal, () => {
    void provider.close().then(() => process.exit(0));
  });
}
