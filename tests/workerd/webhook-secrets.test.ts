import { env } from "cloudflare:workers";
import { Webhook } from "standardwebhooks";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { deriveSealingKeys, openText, sealText } from "#platform/sealed-texts";
import { CRON_JOBS } from "#services/upkeep/run-cron";
import { makeWebhookBench, type Received, type TestEndpoint, type WebhookBench } from "../support/webhook-bench.ts";

let bench: WebhookBench;

beforeEach(async () => {
  bench = await makeWebhookBench();
});
afterEach(() => {
  vi.restoreAllMocks();
});

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

function makeSeed(keyId: number): { keyId: number; seed: Uint8Array } {
  return { keyId, seed: crypto.getRandomValues(new Uint8Array(32)) };
}

/** The secrets of these that signed what was received, as each of their owners finds out. */
function signersOf({ body, headers }: Received, secrets: readonly string[]): string[] {
  const at = new Date(Number(headers.get("webhook-timestamp")) * 1000);
  const signatures = (headers.get("webhook-signature") ?? "").split(" ");
  return secrets.filter((secret) => signatures.includes(new Webhook(secret).sign(headers.get("webhook-id") ?? "", at, body)));
}

async function send(endpoint: TestEndpoint): Promise<Received> {
  await bench.emit();
  await bench.settle();
  const received = endpoint.received.at(-1);
  if (!received) throw new Error("nothing was received");
  return received;
}

async function rotate(endpoint: TestEndpoint): Promise<string> {
  const { status, body } = await bench.admin.call("POST", `/api/v1/webhook-endpoints/${endpoint.id}/secret`);
  expect(status).toBe(201);
  return String(body["secret"]);
}

async function readRow({ id }: TestEndpoint): Promise<Record<string, unknown>> {
  return (await env.DB.prepare("SELECT * FROM webhook_endpoints WHERE id = ?").bind(id).first()) ?? {};
}

describe("a new secret", () => {
  it("signs from the next event on, and the one before beside it for 24 hours", async () => {
    const endpoint = await bench.makeEndpoint();
    const first = endpoint.secret;
    expect(signersOf(await send(endpoint), [first])).toEqual([first]);
    const second = await rotate(endpoint);
    expect(second).not.toBe(first);
    expect(signersOf(await send(endpoint), [first, second])).toEqual([first, second]);
    bench.nowMs = Date.now() + DAY_MS;
    const later = await send(endpoint);
    expect(signersOf(later, [first, second])).toEqual([second]);
    expect(later.headers.get("webhook-signature")?.split(" ")).toHaveLength(1);
  });

  it("made twice in a day leaves the last two", async () => {
    const endpoint = await bench.makeEndpoint();
    const secrets = [endpoint.secret, await rotate(endpoint), await rotate(endpoint)];
    expect(signersOf(await send(endpoint), secrets)).toEqual(secrets.slice(1));
  });
});

describe("secrets in D1", () => {
  it("cannot be read by who has the database alone, and are gone when their endpoint is deleted", async () => {
    const endpoint = await bench.makeEndpoint();
    const secrets = [endpoint.secret, await rotate(endpoint)];
    const row = JSON.stringify(await readRow(endpoint));
    for (const secret of secrets) {
      const key = secret.slice("whsec_".length);
      for (const text of [secret, key, btoa(key)]) expect(row).not.toContain(text);
    }
    await bench.admin.call("DELETE", `/api/v1/webhook-endpoints/${endpoint.id}`);
    expect(await readRow(endpoint)).toMatchObject({ status: "DELETED", sealed_secret: "", previous_sealed_secret: null });
  });

  it("are sealed anew by the cron with the newest key, after which the older one may go", async () => {
    const endpoint = await bench.makeEndpoint();
    const secrets = [endpoint.secret, await rotate(endpoint)];
    const composed = await bench.context().sealingKeys();
    const added = makeSeed(99);
    const addedKeys = await deriveSealingKeys([added]);
    const both = { newestKeyId: 99, keys: new Map([...composed.keys, ...addedKeys.keys]) };
    const jobs = CRON_JOBS.filter(({ name }) => name === "seal webhook secrets anew");
    expect(jobs).toHaveLength(1);
    await bench.runJobs(jobs, { sealingKeys: async () => both });
    expect(await readRow(endpoint)).toMatchObject({ sealed_with: 99 });
    await bench.emit();
    await bench.runCron();
    await bench.consume([{ endpointId: endpoint.id }], { sealingKeys: async () => addedKeys });
    const [received] = endpoint.received;
    expect(received && signersOf(received, secrets)).toEqual(secrets);
  });

  it("whose key was taken away too early stop their endpoint with an alert; a new secret and enabling set it right", async () => {
    const endpoint = await bench.makeEndpoint();
    await bench.emit();
    await bench.runCron();
    const others = await deriveSealingKeys([makeSeed(98)]);
    await bench.consume([{ endpointId: endpoint.id }], { sealingKeys: async () => others });
    expect(endpoint.received).toEqual([]);
    const alerts = bench.lines.filter(({ fields }) => fields["endpointId"] === endpoint.id);
    expect(alerts).toMatchObject([{ fields: { alert: "webhook_endpoint_disabled", cause: "secret_unreadable" } }]);
    const secret = await rotate(endpoint);
    await bench.admin.call("POST", `/api/v1/webhook-endpoints/${endpoint.id}/enable`);
    await bench.settle();
    const [received] = endpoint.received;
    expect(received && signersOf(received, [secret])).toEqual([secret]);
  });
});

describe("a sealed text", () => {
  it("is opened with its key for its owner, and by nobody else", async () => {
    const keys = await deriveSealingKeys([makeSeed(2), makeSeed(1)]);
    const sealed = await sealText(keys, "a secret", "owner");
    expect(sealed.keyId).toBe(2);
    expect(await openText(keys, sealed, "owner")).toBe("a secret");
    expect(await sealText(keys, "a secret", "owner")).not.toEqual(sealed);
    const changed = { ...sealed, sealed: `${sealed.sealed.slice(0, -4)}AAAA` };
    const attempts = [
      openText(keys, sealed, "another"),
      openText(keys, changed, "owner"),
      openText(keys, { ...sealed, sealed: "" }, "owner"),
      openText(keys, { ...sealed, sealed: "not base64!" }, "owner"),
      openText(keys, { ...sealed, keyId: 1 }, "owner"),
      openText(keys, { ...sealed, keyId: 3 }, "owner"),
      openText(await deriveSealingKeys([makeSeed(2)]), sealed, "owner"),
    ];
    expect(await Promise.all(attempts)).toEqual(attempts.map(() => undefined));
  });
});

describe("what was sent", () => {
  it("is forgotten after 30 days, and a deleted endpoint with the last of it, but nothing before", async () => {
    const [kept, deleted] = [await bench.makeEndpoint(), await bench.makeEndpoint()];
    const jobs = CRON_JOBS.filter(({ name }) => name === "prune webhook deliveries");
    const count = async ({ id }: TestEndpoint): Promise<unknown> =>
      env.DB.prepare("SELECT count(*) AS count FROM webhook_deliveries WHERE endpoint_id = ?").bind(id).first("count");
    await bench.emit();
    await bench.settle();
    await bench.admin.call("DELETE", `/api/v1/webhook-endpoints/${deleted.id}`);
    bench.nowMs += 29 * DAY_MS;
    await bench.emit();
    await bench.settle();
    await bench.runJobs(jobs);
    expect([await count(kept), await count(deleted)]).toEqual([2, 1]);
    bench.nowMs += DAY_MS + HOUR_MS;
    await bench.runJobs(jobs);
    expect([await count(kept), await count(deleted)]).toEqual([1, 0]);
    expect([await readRow(kept), await readRow(deleted)]).toMatchObject([{ status: "ACTIVE" }, {}]);
    expect(await readRow(deleted)).toEqual({});
  });
});
