import { randomUUID } from "node:crypto";
import { afterEach, describe, expect, test } from "vitest";
import { startSandboxProvider } from "#dev/sandbox-provider/start-sandbox-provider";
import { generateWebhookSecret } from "#dev/secrets";

interface Payment {
  readonly id: string;
  readonly orderId: string;
  readonly checkoutUrl: string;
}

const running: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const server of running.splice(0)) await server.close();
});

/** A sandbox with one payment to make. Nobody listens to its events, which it keeps. */
async function startWithPayment(description: string): Promise<{ url: string; payment: Payment }> {
  const sandbox = await startSandboxProvider({
    port: 0,
    webhookUrl: "http://127.0.0.1:1/",
    webhookSecret: generateWebhookSecret(),
    checkoutReturnUrl: "http://shop.test/orders/{orderId}",
  });
  running.push(sandbox);
  const order = { orderId: randomUUID(), amountCents: 4200, currency: "EUR", description };
  const response = await fetch(`${sandbox.url}/payments`, {
    method: "POST",
    headers: { "content-type": "application/json", "idempotency-key": order.orderId },
    body: JSON.stringify(order),
  });
  return { url: sandbox.url, payment: (await response.json()) as Payment };
}

function decide(payment: Payment, decision: string): Promise<Response> {
  return fetch(payment.checkoutUrl, { method: "POST", body: new URLSearchParams({ decision }) });
}

async function readJson(url: string): Promise<unknown> {
  return (await fetch(url)).json();
}

describe("the checkout page", () => {
  test("shows what is paid for and the sum, and works without any script", async () => {
    const { payment } = await startWithPayment("Rock <b>&</b> Roll");
    const response = await fetch(payment.checkoutUrl);
    const page = await response.text();
    expect(page).toContain("Rock &lt;b&gt;&amp;&lt;/b&gt; Roll");
    expect(page).toContain("Pay €42.00");
    expect(page).not.toContain("<script");
    expect(response.headers.get("content-security-policy")).toContain("default-src 'none'");
  });

  test.each([
    ["pay", "succeeded", "Payment received", "payment.succeeded"],
    ["decline", "failed", "Payment declined", "payment.failed"],
  ])("%s settles the payment, shows the outcome and leads back to the order", async (decision, status, title, type) => {
    const { url, payment } = await startWithPayment("2 × Balcony");
    const page = await (await decide(payment, decision)).text();
    expect(page).toContain(title);
    expect(page).toContain(`http://shop.test/orders/${payment.orderId}`);
    expect(await readJson(`${url}/payments/${payment.id}`)).toMatchObject({ status });
    expect(await readJson(`${url}/events`)).toMatchObject({ items: [{ type }] });
  });

  test("offers no button once it is paid, and lets a declined payment be paid after all", async () => {
    const { url, payment } = await startWithPayment("2 × Balcony");
    expect(await (await decide(payment, "decline")).text()).toContain("Pay €42.00");
    expect(await (await decide(payment, "pay")).text()).not.toContain("<button");
    const events = { items: [{ type: "payment.failed" }, { type: "payment.succeeded" }] };
    expect(await readJson(`${url}/events`)).toMatchObject(events);
  });

  test("shows that it is paid when a second tab declines afterwards", async () => {
    const { url, payment } = await startWithPayment("2 × Balcony");
    await decide(payment, "pay");
    expect(await (await decide(payment, "decline")).text()).toContain("Payment received");
    expect(await readJson(`${url}/payments/${payment.id}`)).toMatchObject({ status: "succeeded" });
  });

  test("refuses a decision that is neither", async () => {
    const { payment } = await startWithPayment("2 × Balcony");
    expect((await decide(payment, "maybe")).status).toBe(400);
  });

  test("shows a page to whoever opens or pays a payment that the sandbox has forgotten", async () => {
    const { url, payment } = await startWithPayment("2 × Balcony");
    const forgotten = { ...payment, checkoutUrl: `${url}/checkout/pay_none` };
    for (const answer of [await fetch(forgotten.checkoutUrl), await decide(forgotten, "pay")]) {
      expect(answer.status).toBe(404);
      expect(await answer.text()).toContain("<h1>Unknown payment</h1>");
    }
  });
});
