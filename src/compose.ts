import { drizzle } from "drizzle-orm/d1";
import type { ChainConfig } from "#chain/chain-config";
import { loadAssetChain, loadMinter, loadTreeKeeper } from "#chain/load-chain";
import { BriefMemory } from "#chain/brief-memory";
import { createRpcClient } from "#chain/rpc-client";
import { deskName, type DeskNumber } from "#domain/ids";
import { refuse, succeed, type Result } from "#domain/result";
import { findLocalNodeOrigin } from "#domain/solana-cluster";
import type { DeskReach } from "#durable-objects/order-desk/order-desk";
import type { Composition } from "#http/app";
import { ClientGuard } from "#http/middleware/client-guard";
import { createAuthenticator } from "#http/middleware/authenticate";
import type { PaymentProviders } from "#payments/payment-provider";
import { StandardProvider } from "#payments/standard-provider";
import { StripeProvider } from "#payments/stripe-provider";
import { CircuitBreakers } from "#platform/circuit-breakers";
import { readClockMs } from "#platform/clock";
import { configureLog, createLogger } from "#platform/logger";
import { deriveSealingKeys } from "#platform/sealed-texts";
import { importSigningKeys } from "#platform/signing-keys";
import type { EventConsumerContext } from "#queues/event-consumer";
import type { ServiceContext } from "#services/context";
import type { MintContext } from "#services/mint/mint-context";
import { leaseOrderNumbers } from "#storage/order-number-leases";
import { parseConfig, type Config, type ConfigProblem, type Env } from "./config.ts";

/** Anybody may ask how the chain is, and each question would take a call from the quota that mints live on. */
const HEALTH_REUSE_MS = 1_000;

/** The isolate's breakers: what one request learned about a dependency, the next one knows. */
const breakers = new CircuitBreakers();

interface Parsed {
  readonly config: Config;
  readonly providers: PaymentProviders;
  readonly composition: Composition;
}

const parsedByEnv = new WeakMap<Env, Result<Parsed, readonly ConfigProblem[]>>();

/** The service as its environment configures it, made once per isolate; or what is wrong with the configuration. */
export function compose(env: Env): Result<Composition, readonly ConfigProblem[]> {
  const parsed = parseOnce(env);
  return parsed.ok ? succeed(parsed.value.composition) : parsed;
}

/** Where and with what this deployment mints. */
function chainConfig(config: Config): ChainConfig {
  return {
    rpcUrl: config.SOLANA_RPC_URL,
    walletSecretKey: config.SOLANA_WALLET_PRIVATE_KEY,
    treeAddress: config.SOLANA_TREE,
    lookupTableAddress: config.SOLANA_LOOKUP_TABLE,
    transactionVersion: config.SOLANA_TRANSACTION_VERSION,
    payerFloorLamports: config.SOLANA_PAYER_FLOOR_LAMPORTS,
    priorityFeeCapMicroLamports: config.SOLANA_PRIORITY_FEE_CAP,
    breakers,
    logger: createLogger("chain"),
  };
}

/** What the cron's jobs reach. @throws naming the variables that are missing or malformed. */
export function createCronContext(env: Env, nowMs: number): ServiceContext {
  const context = require(env).composition.createContext(`cron-${nowMs}`, nowMs);
  return { ...context, logger: createLogger("cron") };
}

/** What the consumer of outgoing events reaches. @throws naming the variables that are missing or malformed. */
export function createEventContext(env: Env): EventConsumerContext {
  const context = require(env).composition.createContext("events", readClockMs());
  return { ...context, logger: createLogger("events"), readClockMs };
}

/** What the consumers of mint messages reach. @throws naming the variables that are missing or malformed. */
export async function createMintContext(env: Env, nowMs: number): Promise<MintContext> {
  const { config } = require(env);
  const chain = chainConfig(config);
  return {
    db: drizzle(env.DB),
    minter: await loadMinter(chain),
    treeKeeper: await loadTreeKeeper(chain),
    publicBaseUrl: config.PUBLIC_BASE_URL,
    nowMs,
    logger: createLogger("mint"),
  };
}

/** What an order desk reaches. */
export function createDeskReach(env: Env): DeskReach {
  const { providers } = require(env);
  return {
    db: env.DB,
    mintQueue: env.MINT_QUEUE,
    eventQueue: env.EVENT_QUEUE,
    inventory: (stockName) => env.TICKET_TYPE_INVENTORY.getByName(stockName),
    gate: (eventId) => env.EVENT_GATE.getByName(eventId),
    paymentProviders: providers,
    leaseBlock: (tenantId) => leaseOrderNumbers(env.DB, tenantId, randomHex(16)),
    logger: createLogger("order-desk"),
  };
}

function require(env: Env): Parsed {
  const parsed = parseOnce(env);
  if (!parsed.ok) throw new Error(`misconfigured: ${parsed.failure.map(({ variable }) => variable).join(", ")}`);
  return parsed.value;
}

function parseOnce(env: Env): Result<Parsed, readonly ConfigProblem[]> {
  const known = parsedByEnv.get(env);
  if (known) return known;
  const config = parseConfig(env);
  const parsed = config.ok ? succeed(composeWith(env, config.value)) : refuse(config.failure);
  parsedByEnv.set(env, parsed);
  return parsed;
}

function composeWith(env: Env, config: Config): Parsed {
  configureLog(config.LOG_LEVEL);
  const providers = createProviders(config);
  const logger = createLogger("http");
  const shared = createShared(env, config, providers);
  const composition: Composition = {
    authenticator: createAuthenticator(config),
    clientGuard: new ClientGuard({ bans: (shard) => env.CLIENT_BANS.getByName(`client-bans-${shard}`), logger }),
    logger,
    createContext: (requestId, nowMs) => ({ ...shared, nowMs, logger: logger.with({ requestId }) }),
  };
  return { config, providers, composition };
}

/** Stripe is there when it can be asked and its events can be believed. */
function createProviders(config: Config): PaymentProviders {
  const { STRIPE_SECRET_KEY: secretKey, STRIPE_WEBHOOK_SECRETS: webhookSecrets, STRIPE_API_BASE: apiBase } = config;
  return {
    standard: new StandardProvider({
      baseUrl: config.SANDBOX_PAYMENT_URL,
      webhookSecrets: config.PAYMENT_WEBHOOK_SECRETS,
      breakers,
    }),
    ...(secretKey === undefined || webhookSecrets === undefined
      ? {}
      : { stripe: new StripeProvider({ secretKey, apiBase, webhookSecrets, breakers }) }),
  };
}

function createShared(env: Env, config: Config, providers: PaymentProviders): Omit<ServiceContext, "nowMs" | "logger"> {
  const chain = createRpcClient(config.SOLANA_RPC_URL, { breakers });
  const chainHealth = new BriefMemory(HEALTH_REUSE_MS, readClockMs, () => chain.call<string>("getHealth"));
  const objects = {
    inventory: (stockName: string) => env.TICKET_TYPE_INVENTORY.getByName(stockName),
    gate: (eventId: string) => env.EVENT_GATE.getByName(eventId),
    desk: (number: DeskNumber) => env.ORDER_DESK.getByName(deskName(number)),
  };
  return {
    db: drizzle(env.DB),
    d1: env.DB,
    publicBaseUrl: config.PUBLIC_BASE_URL,
    solanaCluster: config.SOLANA_CLUSTER,
    localNodeOrigin: findLocalNodeOrigin(config.SOLANA_RPC_URL, config.SOLANA_CLUSTER),
    desksPerTenant: config.ORDER_DESKS_PER_TENANT,
    transferTtlSeconds: config.TRANSFER_TTL_SECONDS,
    defaultReservationTtlSeconds: config.DEFAULT_RESERVATION_TTL_SECONDS,
    newId: () => crypto.randomUUID(),
    taxRounding: config.TAX_ROUNDING,
    ...objects,
    upkeep: objects,
    paymentProviders: providers,
    breakers,
    mintQueue: env.MINT_QUEUE,
    eventQueue: env.EVENT_QUEUE,
    assetQueue: env.ASSET_QUEUE,
    defaultTree: config.SOLANA_TREE,
    assetChain: () => loadAssetChain(chainConfig(config)),
    chainQueue: env.CHAIN_QUEUE,
    treeKeeper: () => loadTreeKeeper(chainConfig(config)),
    credentialKeys: () => importSigningKeys(config.CREDENTIAL_SIGNING_KEYS),
    sealingKeys: () => deriveSealingKeys(config.CREDENTIAL_SIGNING_KEYS),
    internalSecrets: config.INTERNAL_WEBHOOK_SECRETS,
    isChainHealthy: async () => (await chainHealth.read()).value === "ok",
  };
}

function randomHex(bytes: number): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(bytes)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
