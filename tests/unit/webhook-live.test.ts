/** Outgoing events over real HTTP: the bundle on the bare runtime with its queue and cron, and a receiver in this process. */
import { randomUUID } from "node:crypto";
import { createServer, type IncomingHttpHeaders, type Server } from "node:http";
import { Webhook } from "standardwebhooks";
import { afterAll, beforeAll, expect, it } from "vitest";
import { z } from "zod";
import { generateDevelopmentSecrets, type DevelopmentSecrets } from "#dev/dev-vars";
import { createHttpClient } from "#dev/http-client";
import { startRuntime, type Runtime } from "#dev/runtime";
import { signDevelopmentToken } from "#dev/sign-development-token";

interface Received {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

const PATH = "/api/v1/webhook-endpoints";
const TENANT_ID = randomUUID();
const withId = z.looseObject({ id: z.string() });
const endpointShape = withId.extend({ secret: z.string() });
const listShape = z.object({ items: z.array(z.looseObject({ id: z.string(), status: z.string(), attempts: z.number() })) });

let runtime: Runtime;
let secrets: DevelopmentSecrets;
let receiver: Server;
let receiverUrl: string;
const received: Received[] = [];

/** Answers `/broken-once` with 500 the first time and `/silent` never; everything else with 204. */
async function startReceiver(): Promise<string> {
  receiver = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const path = request.url ?? "";
      const isFirst = !received.some((one) => one.path === path);
      received.push({ path, headers: request.headers, body: Buffer.concat(chunks).toString() });
      if (path === "/silent") return;
      response.writeHead(path === "/broken-once" && isFirst ? 500 : 204).end();
    });
  });
  return new Promise((resolve) => {
    receiver.listen(0, "127.0.0.1", () => {
      const address = receiver.address();
      resolve(`http://127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}`);
    });
  });
}

beforeAll(async () => {
  receiverUrl = await startReceiver();
  secrets = await generateDevelopmentSecrets();
  // Nobody listens at the discard port: this sale needs neither a payment nor the chain.
  const nowhere = { SANDBOX_PAYMENT_URL: "http://127.0.0.1:9", SOLANA_RPC_URL: "http://127.0.0.1:9" };
  const bindings = { ...secrets.variables, ...nowhere, PUBLIC_BASE_URL: "http://localhost:8787" };
  runtime = await startRuntime({ bindings, onLogLine: () => undefined });
});
afterAll(async () => {
  receiver.closeAllConnections();
  receiver.close();
  await runtime.close();
});

/** Sells a free ticket and passes it on: the shortest way to an event. */
async function passTicketOn(): Promise<string> {
  const call = createHttpClient(runtime.url);
  const sign = (role: "user" | "venue_manager", userId: string): Promise<string> =>
    signDevelopmentToken(secrets, { role, tenantId: TENANT_ID, userId });
  const [sender, recipient] = [randomUUID(), randomUUID()];
  const manager = await sign("venue_manager", randomUUID());
  const make = async (path: string, token: string, body: object): Promise<string> =>
    withId.parse((await call("POST", path, { token, body, idempotencyKey: randomUUID() })).body).id;
  const times = { startsAt: "2035-07-01T18:00:00Z", endsAt: "2035-07-01T22:00:00Z", timezone: "UTC", currency: "EUR" };
  const eventId = await make("/api/v1/events", manager, { name: "Concert", ...times });
  const type = { eventId, name: "Free", priceCents: 0, quantity: 1 };
  const ticketTypeId = await make("/api/v1/tickets/types", manager, type);
  const token = await sign("user", sender);
  const orderId = await make("/api/v1/purchase", token, { eventId, tickets: [{ ticketTypeId, quantity: 1 }] });
  const { items } = z
    .object({ items: z.tuple([withId]) })
    .parse((await call("GET", `/api/v1/orders/${orderId}/tickets`, { token })).body);
  const transferId = await make("/api/v1/transfer", token, { ticketId: items[0].id, toUserId: recipient });
  const accepted = await call("POST", `/api/v1/transfer/${transferId}/accept`, { token: await sign("user", recipient) });
  expect(accepted.status).toBe(200);
  return transferId;
}

function at(path: string): Received[] {
  return received.filter((one) => one.path === path);
}

function waitFor(path: string, count: number): Promise<void> {
  return expect.poll(() => at(path).length, { timeout: 30_000, interval: 50 }).toBe(count);
}

it("sends a signed event, again after a 500, again when replayed, beside an endpoint that hangs, and stops when deleted", async () => {
  const call = createHttpClient(runtime.url);
  const token = await signDevelopmentToken(secrets, { role: "admin", tenantId: TENANT_ID });
  const makeEndpoint = async (path: string): Promise<z.infer<typeof endpointShape>> =>
    endpointShape.parse(
      (await call("POST", PATH, { token, body: { url: `${receiverUrl}${path}`, eventTypes: ["ticket.transferred"] } })).body,
    );
  const broken = await makeEndpoint("/broken-once");
  const transferId = await passTicketOn();
  await waitFor("/broken-once", 2);
  const deliveries = `${PATH}/${broken.id}/deliveries`;
  const list = async () => listShape.parse((await call("GET", deliveries, { token })).body).items;
  await expect.poll(list, { timeout: 10_000 }).toMatchObject([{ status: "SUCCEEDED", attempts: 2 }]);
  const [delivery] = await list();
  const replayed = await call("POST", `${deliveries}/${delivery?.id}/replay`, { token });
  expect(replayed.status).toBe(202);
  await waitFor("/broken-once", 3);
  const silent = await makeEndpoint("/silent");
  for (const { body, headers } of at("/broken-once")) {
    const signed = headers as Record<string, string>; // each of these is sent once
    expect(headers["webhook-id"]).toBe(at("/broken-once")[0]?.headers["webhook-id"]);
    expect(new Webhook(broken.secret).verify(body, signed)).toMatchObject({ type: "ticket.transferred", data: { transferId } });
    expect(() => new Webhook(silent.secret).verify(body, signed)).toThrow("No matching signature");
  }
  await passTicketOn();
  await waitFor("/silent", 1);
  await waitFor("/broken-once", 4);
  for (const { id } of [broken, silent]) expect((await call("DELETE", `${PATH}/${id}`, { token })).status).toBe(204);
  receiver.closeAllConnections();
  await makeEndpoint("/kept");
  await passTicketOn();
  await waitFor("/kept", 1);
  await runtime.runScheduled();
  expect([at("/broken-once").length, at("/silent").length]).toEqual([4, 1]);
});
