import { createSandboxApp } from "./create-sandbox-app.ts";
import { EventSender } from "./event-sender.ts";
import { serveApp, type RunningServer } from "./serve-app.ts";

/** How the provider is started. */
export interface SandboxProviderOptions {
  /** 0 for any free port. */
  readonly port: number;
  /** Where signed events go: the service's `/api/v1/webhooks/payments/standard`. */
  readonly webhookUrl: string;
  /** `whsec_…`, one secret of the service's `PAYMENT_WEBHOOK_SECRETS`. */
  readonly webhookSecret: string;
  /** Where a payer goes after the checkout; `{orderId}` in it is replaced. */
  readonly checkoutReturnUrl?: string;
  /** How long a held back event (`reorder=1`) waits for a later one. */
  readonly heldBackMs?: number;
  /** An event that nobody took for so long is given up. */
  readonly giveUpAfterMs?: number;
  /** After so long an event that nobody took yet is listed as undelivered. */
  readonly undeliveredAfterMs?: number;
}

/**
 * Starts a payment provider that moves no money: payments, refunds and a checkout over HTTP on 127.0.0.1, and signed events
 * sent to `webhookUrl` until it answers 2xx, whether or not the service is up yet.
 *
 * State is in memory. Stopping it forgets every payment and every event that was not delivered.
 * @throws Error when the port is taken or the secret is not base64.
 */
export async function startSandboxProvider(options: SandboxProviderOptions): Promise<RunningServer> {
  const { port, webhookSecret: secret, checkoutReturnUrl, ...sending } = options;
  const sender = new EventSender({ ...sending, secret });
  const app = createSandboxApp({ sender, ...(checkoutReturnUrl === undefined ? {} : { checkoutReturnUrl }) });
  const server = await serveApp((request) => app.fetch(request), port);
  return {
    url: server.url,
    close: async () => {
      await server.close();
      await sender.close();
    },
  };
}
