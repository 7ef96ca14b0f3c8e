/** The service and what runs beside it, started together: for `npm start`, the demo and the benchmark. */
import { claimPort } from "./claim-port.ts";
import { startFakeStripe } from "./fake-stripe/start-fake-stripe.ts";
import { provision } from "./localnet/provision.ts";
import { findProgramsDir } from "./localnet/program-files.ts";
import { startLocalnet, type Localnet } from "./localnet/start-localnet.ts";
import { startRuntime, type Runtime } from "./runtime.ts";
import type { RunningServer } from "./sandbox-provider/serve-app.ts";
import { startSandboxProvider } from "./sandbox-provider/start-sandbox-provider.ts";
import type { DevelopmentSecrets, Variables } from "./dev-vars.ts";

/** How the stack is started. */
export interface StackOptions {
  readonly secrets: DevelopmentSecrets;
  /** The service's; payment provider, chain and fake Stripe take the three next ports. 0 takes free ones. */
  readonly port: number;
  /** Folder that keeps the service's state over a restart; left out, it is lost. */
  readonly persistPath?: string;
  /** File that keeps the local chain over a restart; left out, it is lost. */
  readonly chainStatePath?: string;
  /** Gets each line the service logs. */
  readonly onLogLine?: (line: string) => void;
  /** Called when the service died and did not start again. */
  readonly onServiceLost?: (error: Error) => void;
  /** Milliseconds a slot of the local chain; 400, as on the real one, when left out. */
  readonly slotMs?: number;
}

/** The running stack; addresses without a slash at their ends. */
export interface Stack {
  readonly serviceUrl: string;
  readonly paymentUrl: string;
  readonly solanaUrl: string;
  /** The fake Stripe's; left out when the variables name Stripe itself, or nothing. */
  readonly stripeUrl?: string;
  readonly runtime: Runtime;
  readonly localnet: Localnet;
  /** The variables as the service sees them, with the real addresses. */
  readonly variables: Variables;
  /** Stops everything, the service first. */
  close(): Promise<void>;
}

const SLOT_MS = 400;

interface Ports {
  readonly service: number;
  readonly payments: number;
  readonly solana: number;
  readonly stripe: number;
}

async function claimPorts(port: number): Promise<Ports> {
  const at = (offset: number): Promise<number> => claimPort(port === 0 ? 0 : port + offset);
  // All at once, so that free ones differ.
  const [service, payments, solana, stripe] = await Promise.all([at(0), at(1), at(2), at(3)]);
  return { service, payments, solana, stripe };
}

/** Things to close, the last one started first. */
class Started {
  readonly #parts: { close(): Promise<void> }[] = [];

  keep<Part extends { close(): Promise<void> }>(part: Part): Part {
    this.#parts.push(part);
    return part;
  }

  async close(): Promise<void> {
    for (let part = this.#parts.pop(); part !== undefined; part = this.#parts.pop()) await part.close();
  }
}

/**
 * Starts the local chain with its tree and collection, the sandbox provider, and the service with their addresses.
 * @throws PortInUseError, or whatever failed to start; nothing is left running then.
 */
export async function startStack(options: StackOptions): Promise<Stack> {
  const ports = await claimPorts(options.port);
  const started = new Started();
  try {
    return await startParts(options, ports, started);
  } catch (error) {
    await started.close();
    throw error;
  }
}

async function startParts(options: StackOptions, ports: Ports, started: Started): Promise<Stack> {
  const given = options.secrets.variables;
  const { persistPath, onLogLine, onServiceLost: onLost, chainStatePath: stateFile, slotMs = SLOT_MS } = options;
  const programsDir = findProgramsDir();
  const localnet = started.keep(await startLocalnet({ port: ports.solana, programsDir, slotMs, stateFile }));
  const { tree, lookupTable, collection } = await provision(localnet.url, given["SOLANA_WALLET_PRIVATE_KEY"] ?? "");
  const serviceUrl = `http://localhost:${ports.service}`;
  const provider = started.keep(
    await startSandboxProvider({
      port: ports.payments,
      webhookUrl: `http://127.0.0.1:${ports.service}/api/v1/webhooks/payments/standard`,
      webhookSecret: given["PAYMENT_WEBHOOK_SECRETS"]?.split(",")[0]?.trim() ?? "",
    }),
  );
  const stripe = await startStripe(given, ports);
  if (stripe) started.keep(stripe);
  const variables = {
    ...given,
    ...(stripe === undefined ? {} : { STRIPE_API_BASE: stripe.url }),
    SANDBOX_PAYMENT_URL: provider.url,
    SOLANA_RPC_URL: localnet.url,
    SOLANA_TREE: tree,
    SOLANA_LOOKUP_TABLE: lookupTable,
    SOLANA_COLLECTION: collection,
    PUBLIC_BASE_URL: serviceUrl,
  };
  const runtime = started.keep(
    await startRuntime({
      port: ports.service,
      bindings: variables,
      ...(persistPath === undefined ? {} : { persistPath }),
      ...(onLogLine === undefined ? {} : { onLogLine }),
      ...(onLost === undefined ? {} : { onLost }),
    }),
  );
  const close = (): Promise<void> => started.close();
  const urls = { serviceUrl, paymentUrl: provider.url, solanaUrl: localnet.url };
  return { ...urls, ...(stripe === undefined ? {} : { stripeUrl: stripe.url }), runtime, localnet, variables, close };
}

/** The fake Stripe, when the variables ask for one on this machine: whoever sets another address gets what is there. */
async function startStripe(given: Variables, ports: Ports): Promise<RunningServer | undefined> {
  const { STRIPE_SECRET_KEY: secretKey, STRIPE_WEBHOOK_SECRETS: secrets, STRIPE_API_BASE: apiBase } = given;
  if (!secretKey || !secrets || !apiBase || new URL(apiBase).hostname !== "127.0.0.1") return undefined;
  return startFakeStripe({
    port: ports.stripe,
    webhookUrl: `http://127.0.0.1:${ports.service}/api/v1/webhooks/payments/stripe`,
    webhookSecrets: secrets.split(",").map((secret) => secret.trim()),
    secretKey,
  });
}
