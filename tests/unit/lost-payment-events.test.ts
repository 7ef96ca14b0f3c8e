/** The deployed bundle on the bare runtime and the real sandbox provider, whose events reach nobody: only the cron can help. */
import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { generateDevelopmentSecrets, type DevelopmentSecrets } from "#dev/dev-vars";
import { createHttpClient, type Answer } from "#dev/http-client";
import { startRuntime, type Runtime } from "#dev/runtime";
import { serveApp, type RunningServer } from "#dev/sandbox-provider/serve-app";
import { startSandboxProvider } from "#dev/sandbox-provider/start-sandbox-provider";
import { signDevelopmentToken } from "#dev/sign-development-token";

const tenantId = randomUUID();
let secrets: DevelopmentSecrets;
let sandbox: RunningServer;
let deaf: RunningServer;
let runtime: Runtime;
let call: ReturnType<typeof createHttpClient>;

beforeAll(async () => {
  secrets = await generateDevelopmentSecrets();
  deaf = await serveApp(() => new Response(null, { status: 503 }), 0);
  const webhookSecret = secrets.variables["PAYMENT_WEBHOOK_SECRETS"] ?? "";
  sandbox = await startSandboxProvider({ port: 0, webhookUrl: deaf.url, webhookSecret, giveUpAfterMs: 1 });
  const bindings = { ...secrets.variables, SANDBOX_PAYMENT_URL: sandbox.url };
  runtime = await startRuntime({ bindings, onLogLine: () => undefined });
  call = createHttpClient(runtime.url);
});
afterAll(async () => {
  await runtime.close();
  await sandbox.close();
  await deaf.close();
});

async function create(path: string, token: string, body: unknown): Promise<Answer["body"]> {
  const answer = await call("POST", path, { token, body, idempotencyKey: randomUUID() });
  if (answer.status !== 201) throw new Error(`POST ${path} answered ${answer.status}: ${JSON.stringify(answer.body)}`);
  return answer.body;
}

interface Placed {
  readonly paymentUrl: string;
  readStatus(): Promise<unknown>;
  cancel(): Promise<void>;
}

/** One ticket ordered, its payment created at the sandbox. */
async function place(holdSeconds: number): Promise<Placed> {
  const manager = await signDevelopmentToken(secrets, { role: "venue_manager", tenantId });
  const buyer = await signDevelopmentToken(secrets, { role: "user", tenantId });
  const event = {
    name: "E",
    startsAt: "2035-07-01T18:00:00Z",
    endsAt: "2035-07-01T22:00:00Z",
    timezone: "UTC",
    currency: "EUR",
  };
  const { id: eventId } = await create("/api/v1/events", manager, event);
  const type = { eventId, name: "Floor", priceCents: 4_500, quantity: 1, reservationTtlSeconds: holdSeconds };
  const { id: ticketTypeId } = await create("/api/v1/tickets/types", manager, type);
  const order = await create("/api/v1/purchase", buyer, { eventId, tickets: [{ ticketTypeId, quantity: 1 }] });
  const { id: paymentId } = order["payment"] as { id: string }; // the contract's Order
  const path = `/api/v1/orders/${String(order["id"])}`;
  return {
    paymentUrl: `${sandbox.url}/payments/${paymentId}`,
    readStatus: async () => (await call("GET", path, { token: buyer })).body["status"],
    cancel: async () => {
      const answer = await call("POST", `${path}/cancel`, { token: buyer, body: {}, idempotencyKey: randomUUID() });
      if (answer.status !== 200) throw new Error(`not cancelled: ${answer.status}`);
    },
  };
}

/** Runs the cron until it has had its effect: D1 hears of an order a moment after its buyer. */
async function runCronUntil(hasEffect: () => Promise<boolean>): Promise<void> {
  await vi.waitFor(
    async () => {
      await runtime.runScheduled();
      if (!(await hasEffect())) throw new Error("not yet");
    },
    { timeout: 30_000, interval: 500 },
  );
}

async function countAttempts(): Promise<number> {
  const { items } = (await (await fetch(`${sandbox.url}/events`)).json()) as { items: { attempts: number }[] };
  return items.reduce((sum, { attempts }) => sum + attempts, 0);
}

describe("with a provider whose events reach nobody", () => {
  it("an order is paid when the cron has fetched the event that was given up", async () => {
    const placed = await place(600);
    await fetch(`${placed.paymentUrl}/succeed`, { method: "POST" });
    await vi.waitFor(async () => expect(await countAttempts()).toBeGreaterThan(0));
    expect(await placed.readStatus()).toBe("PENDING");
    await runCronUntil(async () => (await placed.readStatus()) !== "PENDING");
    expect(await placed.readStatus()).toBe("AWAITING_MINT");
  });

  it("an order is paid when the cron asks after its hold, although there is no event to fetch", async () => {
    const placed = await place(5);
    await fetch(`${placed.paymentUrl}/succeed?delayMs=60000`, { method: "POST" });
    await vi.waitFor(async () => expect(await placed.readStatus()).toBe("EXPIRED"), { timeout: 20_000, interval: 200 });
    await runCronUntil(async () => (await placed.readStatus()) !== "EXPIRED");
    expect(await placed.readStatus()).toBe("AWAITING_MINT");
  });

  it("the payment of a cancelled order is ended at the provider, and nobody can pay it any more", async () => {
    const placed = await place(600);
    await placed.cancel();
    const readPayment = async (): Promise<string> => (await fetch(placed.paymentUrl)).text();
    expect(await readPayment()).toContain('"requires_action"');
    await runCronUntil(async () => (await readPayment()).includes('"canceled"'));
    expect((await fetch(`${placed.paymentUrl}/succeed`, { method: "POST" })).status).toBe(409);
  });
});
