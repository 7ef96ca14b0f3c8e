import { z } from "zod";
import type { JSONWebKeySet } from "jose";
import { LONGEST_HOLD_SECONDS } from "#domain/inventory";
import { refuse, succeed, type Result } from "#domain/result";
import { SOLANA_CLUSTERS } from "#domain/solana-cluster";
import { TAX_ROUNDINGS } from "#domain/tax";
import type { SigningSeed } from "#platform/signing-keys";
import { MOST_RPC_NODES } from "#chain/rpc-client";
import type { AssetMessage } from "#domain/asset-work";
import type { MintMessage } from "#domain/order-messages";
import type { ClientBans } from "#durable-objects/client-bans/client-bans";
import type { EventMessage } from "#domain/webhook-delivery";
import type { TreeMessage } from "#domain/tree-messages";
import type { EventGate } from "#durable-objects/event-gate/event-gate";
import type { InventoryProjector } from "#durable-objects/inventory-projector/inventory-projector";
import type { OrderDeskObject } from "#durable-objects/order-desk/order-desk";
import type { TicketTypeInventory } from "#durable-objects/ticket-type-inventory/ticket-type-inventory";

/** Each entry of a ring may cost a try at a signature; a rotation has two or three. */
const LONGEST_RING = 8;

/** A comma-separated ring, newest first; blanks around its entries do not count. */
function ring<Entry>(entry: z.ZodType<Entry, string>) {
  return z
    .string()
    .transform((text) => text.split(",").map((part) => part.trim()))
    .pipe(z.array(entry).min(1).max(LONGEST_RING));
}

const WEBHOOK_SECRET = z
  .string()
  .regex(/^whsec_(?:[A-Za-z0-9+/]{4}){6,}(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/, "not whsec_ and base64");
/** Stripe signs with the text as it stands, prefix and all, so it need not be base64. */
const STRIPE_WEBHOOK_SECRET = z.string().regex(/^whsec_[A-Za-z0-9+/=_-]{24,}$/, "not whsec_ and a key");
const SOLANA_ADDRESS = z.string().regex(/^[1-9A-HJ-NP-Za-km-z]{32,44}$/, "not a base58 address");
const SOLANA_SECRET_KEY = z.string().regex(/^[1-9A-HJ-NP-Za-km-z]{80,90}$/, "not 64 bytes in base58");
const ORIGIN = z.url({ protocol: /^https?$/ }).transform((text) => text.replace(/\/+$/, ""));
const HOST_ONLY = ORIGIN.refine((text) => new URL(text).origin === text, "not scheme, host and port alone");

/** Nodes to ask, the preferred one first; handed on with a comma between them. */
const RPC_ADDRESSES = ring(z.url({ protocol: /^https?$/ }))
  .refine((addresses) => addresses.length <= MOST_RPC_NODES, `more than ${MOST_RPC_NODES} addresses`)
  .transform((addresses) => addresses.join(","));

const SIGNING_KEY = z
  .string()
  .regex(/^\d{1,3}:[A-Za-z0-9_-]{43}$/, "not <key id>:<32-byte seed in base64url>")
  .transform((text): SigningSeed => {
    const [keyId = "", seed = ""] = text.split(":");
    return { keyId: Number(keyId), seed: Uint8Array.from(atob(toBase64(seed)), (char) => char.charCodeAt(0)) };
  })
  .refine(({ keyId }) => keyId >= 1 && keyId <= 255, "key id is not 1 to 255");

/** A code names its key by id alone. */
function hasDistinctIds(keys: readonly SigningSeed[]): boolean {
  return new Set(keys.map(({ keyId }) => keyId)).size === keys.length;
}

function toBase64(base64url: string): string {
  return base64url.replaceAll("-", "+").replaceAll("_", "/");
}

const JWKS = z.string().transform((text, context): JSONWebKeySet => {
  try {
    return jwksShape.parse(JSON.parse(text));
  } catch {
    context.addIssue({ code: "custom", message: "not a JWKS" });
    return z.NEVER;
  }
});
const jwksShape = z.object({ keys: z.array(z.looseObject({ kty: z.string() })).min(1) });

/** Every variable and secret of the service. `.dev.vars.example` says what each is for. */
const variables = z.object({
  JWT_ISSUER: z.string().min(1),
  JWT_AUDIENCE: z.string().min(1),
  JWT_JWKS: JWKS.optional(),
  JWT_JWKS_URL: z.url({ protocol: /^https$/ }).optional(),
  PAYMENT_WEBHOOK_SECRETS: ring(WEBHOOK_SECRET),
  STRIPE_WEBHOOK_SECRETS: ring(STRIPE_WEBHOOK_SECRET).optional(),
  STRIPE_SECRET_KEY: z.string().min(1).optional(),
  STRIPE_API_BASE: HOST_ONLY.default("https://api.stripe.com"),
  INTERNAL_WEBHOOK_SECRETS: ring(WEBHOOK_SECRET),
  CREDENTIAL_SIGNING_KEYS: ring(SIGNING_KEY).refine(hasDistinctIds, "two keys share an id"),
  SANDBOX_PAYMENT_URL: ORIGIN,
  SOLANA_RPC_URL: RPC_ADDRESSES,
  SOLANA_WALLET_PRIVATE_KEY: SOLANA_SECRET_KEY,
  SOLANA_TREE: SOLANA_ADDRESS,
  SOLANA_LOOKUP_TABLE: SOLANA_ADDRESS.optional(),
  SOLANA_COLLECTION: SOLANA_ADDRESS.optional(),
  SOLANA_TRANSACTION_VERSION: z
    .enum(["0", "1"])
    .default("0")
    .transform((version) => (version === "1" ? 1 : 0)),
  SOLANA_CLUSTER: z.enum(SOLANA_CLUSTERS).default("mainnet"),
  SOLANA_PAYER_FLOOR_LAMPORTS: z.coerce.number().int().min(0).default(10_000_000),
  SOLANA_PRIORITY_FEE_CAP: z.coerce.number().int().min(0).max(10_000_000).default(100_000),
  PUBLIC_BASE_URL: ORIGIN,
  ORDER_DESKS_PER_TENANT: z.coerce.number().int().min(1).max(256).default(4),
  TRANSFER_TTL_SECONDS: z.coerce.number().int().min(60).max(7_776_000).default(604_800),
  TAX_ROUNDING: z.enum(TAX_ROUNDINGS).default("line"),
  DEFAULT_RESERVATION_TTL_SECONDS: z.coerce.number().int().min(5).max(LONGEST_HOLD_SECONDS).default(600),
  LOG_LEVEL: z.enum(["debug", "info", "warning", "error"]).default("info"),
});

/** Name of a variable that the service reads. */
export type VariableName = keyof z.infer<typeof variables>;

/** The variables' names, for `.dev.vars.example` and its test. */
export const VARIABLE_NAMES: readonly string[] = Object.keys(variables.shape);

/** What the service is configured with: the variables, parsed. Rings are newest first. */
export type Config = Readonly<z.infer<typeof variables>>;

/** Bindings of the Worker, as `wrangler.toml` names them, and its variables, which only {@link parseConfig} reads. */
export interface Env extends Readonly<Partial<Record<VariableName, string>>> {
  readonly DB: D1Database;
  readonly MINT_QUEUE: Queue<MintMessage>;
  readonly EVENT_QUEUE: Queue<EventMessage>;
  readonly ASSET_QUEUE: Queue<AssetMessage>;
  readonly CHAIN_QUEUE: Queue<TreeMessage>;
  readonly TICKET_TYPE_INVENTORY: DurableObjectNamespace<TicketTypeInventory>;
  readonly INVENTORY_PROJECTOR: DurableObjectNamespace<InventoryProjector>;
  readonly ORDER_DESK: DurableObjectNamespace<OrderDeskObject<Env>>;
  readonly EVENT_GATE: DurableObjectNamespace<EventGate>;
  readonly CLIENT_BANS: DurableObjectNamespace<ClientBans>;
  readonly RATE_LIMIT_READ: RateLimit;
  readonly RATE_LIMIT_WRITE: RateLimit;
  readonly RATE_LIMIT_SALE: RateLimit;
  readonly RATE_LIMIT_SCAN: RateLimit;
}

/** A variable that is missing or malformed. `problem` never holds its value. */
export interface ConfigProblem {
  readonly variable: string;
  readonly problem: string;
}

/**
 * Reads and checks every variable and secret, once for all. There is no default for any secret: whoever misses one gets its
 * name, and nothing starts.
 */
export function parseConfig(env: Readonly<Partial<Record<VariableName, unknown>>>): Result<Config, readonly ConfigProblem[]> {
  const given = Object.fromEntries(VARIABLE_NAMES.map((name) => [name, blankIsMissing(env[name as VariableName])])); // names of the schema
  const parsed = variables.safeParse(given);
  const problems: ConfigProblem[] = (parsed.error?.issues ?? []).map(({ path, message }) => {
    const variable = String(path[0]);
    return { variable, problem: given[variable] === undefined ? "missing" : message };
  });
  if (given["JWT_JWKS"] === undefined && given["JWT_JWKS_URL"] === undefined) {
    problems.push({ variable: "JWT_JWKS", problem: "missing, and so is JWT_JWKS_URL" });
  }
  return parsed.success && problems.length === 0 ? succeed(parsed.data) : refuse(problems);
}

function blankIsMissing(value: unknown): unknown {
  return value === "" ? undefined : value;
}
