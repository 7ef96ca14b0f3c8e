import { setTimeout as wait } from "node:timers/promises";
import { createHttpClient } from "../http-client.ts";
import { generateDevelopmentSecrets } from "../dev-vars.ts";
import { startRuntime } from "../runtime.ts";
import { startSandboxProvider } from "../sandbox-provider/start-sandbox-provider.ts";
import { claimPort } from "../claim-port.ts";
import type { BenchBundles } from "./bench-bundle.ts";
import { createBenchWorld, type BenchWorld } from "./bench-world.ts";
import { quantile } from "./report.ts";

const BUYERS_AT_ONCE = 4;
const ORDERS_EACH = 75;
/** Between two looks at an order that has no tickets yet. */
const LOOK_EVERY_MS = 5;
/** Orders of each buyer that are not counted, so that caches and compilers are warm. */
const WARM_UP = 5;

/** From the purchase that a buyer sends to the tickets they read, milliseconds; they pay as soon as they can. */
export interface IssueLatency {
  readonly orders: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/**
 * Buys, pays at the sandbox provider, a process of its own as far as the service can tell, and reads the order until it has its
 * tickets. The provider is called for each order over HTTP, and its event comes back over HTTP.
 */
export async function measureIssueLatency(bundles: BenchBundles, persistPath: string): Promise<IssueLatency> {
  const secrets = await generateDevelopmentSecrets();
  const port = await claimPort(0);
  const provider = await startSandboxProvider({
    port: 0,
    webhookUrl: `http://127.0.0.1:${port}/api/v1/webhooks/payments/standard`,
    webhookSecret: secrets.variables["PAYMENT_WEBHOOK_SECRETS"]?.split(",")[0] ?? "",
  });
  const bindings = { ...secrets.variables, SANDBOX_PAYMENT_URL: provider.url, ORDER_DESKS_PER_TENANT: "1" };
  const runtime = await startRuntime({ port, persistPath, bundle: bundles.timed, bindings, onLogLine: () => undefined });
  try {
    const world = await createBenchWorld(runtime.url, secrets);
    const times = await Promise.all(
      Array.from({ length: BUYERS_AT_ONCE }, (_, at) => buyInTurn(world, provider.url, world.buyers[at] ?? "")),
    );
    const sorted = times.flat().toSorted((one, other) => one - other);
    return { orders: sorted.length, p50Ms: quantile(sorted, 0.5), p99Ms: quantile(sorted, 0.99) };
  } finally {
    await runtime.close();
    await provider.close();
  }
}

async function buyInTurn(world: BenchWorld, providerUrl: string, buyer: string): Promise<number[]> {
  const token = buyer.replace(/^Authorization: Bearer /, "");
  const call = createHttpClient(world.serviceUrl);
  const body = { eventId: world.eventId, tickets: [{ ticketTypeId: world.soldTypeId, quantity: 1 }] };
  const times: number[] = [];
  for (let number = 0; number < WARM_UP + ORDERS_EACH; number += 1) {
    const startedAtMs = performance.now();
    const idempotencyKey = crypto.randomUUID();
    const placed = await call("POST", "/api/v1/purchase", { token, body, idempotencyKey });
    if (placed.status !== 201) throw new Error(`a purchase was answered ${placed.status}`);
    const { id: paymentId } = placed.body["payment"] as { id: string }; // the contract's Order
    const path = `/api/v1/orders/${String(placed.body["id"])}`;
    const paid = await fetch(`${providerUrl}/payments/${paymentId}/succeed`, { method: "POST" });
    await paid.arrayBuffer();
    while ((await call("GET", path, { token })).body["status"] === "PENDING") await wait(LOOK_EVERY_MS);
    if (number >= WARM_UP) times.push(performance.now() - startedAtMs);
  }
  return times;
}
