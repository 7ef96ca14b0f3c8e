/** A Stripe of a few lines, for answers that the fake one never gives. */
import { serveApp } from "#dev/sandbox-provider/serve-app";
import { generateStripeSecretKey, generateWebhookSecret } from "#dev/secrets";
import { StripeProvider } from "#payments/stripe-provider";
import { CircuitBreakers } from "#platform/circuit-breakers";

interface StubRequest {
  readonly key: string;
  readonly path: string;
  readonly headers: Headers;
  readonly body: string;
}

/** The running stub and what it was asked. */
export interface StripeStub {
  readonly url: string;
  readonly requests: readonly StubRequest[];
  close(): Promise<void>;
}

/** A provider with secrets of its own that talks to `apiBase`. */
export function createStripeProvider(apiBase: string, timeoutMs = 5000, breakers = new CircuitBreakers()): StripeProvider {
  const webhookSecrets = [generateWebhookSecret()];
  return new StripeProvider({ secretKey: generateStripeSecretKey(), apiBase, webhookSecrets, breakers, timeoutMs });
}

/** A Stripe at the other end that answers as told, and remembers what it was asked. */
export async function startStripeStub(answer: (call: number) => Response | Promise<Response>): Promise<StripeStub> {
  const requests: StubRequest[] = [];
  const server = await serveApp(async (request) => {
    const { headers } = request;
    const path = new URL(request.url).pathname;
    requests.push({ key: headers.get("idempotency-key") ?? "", path, headers, body: await request.text() });
    return answer(requests.length);
  }, 0);
  return { url: server.url, requests, close: () => server.close() };
}

/** An answer with Stripe's error object. */
export const stripeError = (status: number, error: object): Response => Response.json({ error }, { status });
