import type { DrizzleD1Database } from "drizzle-orm/d1";
import type { AssetChain } from "#chain/asset-mover";
import type { AssetMessage } from "#domain/asset-work";
import type { TreeKeeper } from "#chain/tree-keeper";
import type { CircuitBreakers } from "#platform/circuit-breakers";
import type { SealingKeys } from "#platform/sealed-texts";
import type { SigningKeys } from "#platform/signing-keys";
import type { GatePort } from "#domain/gate-messages";
import type { DeskNumber } from "#domain/ids";
import type { InventoryPort } from "#domain/inventory-messages";
import type { DeskPort, MintMessage } from "#domain/order-messages";
import type { Principal } from "#domain/principal";
import type { SolanaCluster } from "#domain/solana-cluster";
import type { TaxRounding } from "#domain/tax";
import type { TreeMessage } from "#domain/tree-messages";
import type { InventoryUpkeepPort, UpkeepPort } from "#domain/upkeep-messages";
import type { EventMessage } from "#domain/webhook-delivery";
import type { PaymentProviders } from "#payments/payment-provider";
import type { Logger } from "#platform/logger";

/**
 * What a use case may reach. Built once a request by the HTTP layer (and by queue and cron handlers); use cases take it as
 * their first argument and know no binding, no variable and no clock of their own.
 */
export interface ServiceContext {
  readonly db: DrizzleD1Database;
  /** The same database, for statements that drizzle has no words for. */
  readonly d1: D1Database;
  /** Unix milliseconds at which the request arrived. */
  readonly nowMs: number;
  readonly logger: Logger;
  readonly publicBaseUrl: string;
  readonly solanaCluster: SolanaCluster;
  /** Of the chain's node, for the explorer's links, when the chain is a local one; else null. */
  readonly localNodeOrigin: string | null;
  readonly desksPerTenant: number;
  /** How long an offer of a ticket stands, unless its event ends before. */
  readonly transferTtlSeconds: number;
  /** How long stock of a ticket type is held that was made without a time of its own. */
  readonly defaultReservationTtlSeconds: number;
  /** A new random UUID (version 4), for things no request key names. */
  newId(): string;
  readonly taxRounding: TaxRounding;
  /** Of a ticket type, by its id, or of a discount's cap, by the name of its stock. */
  inventory(stockName: string): InventoryPort;
  gate(eventId: string): GatePort;
  desk(number: DeskNumber): DeskPort;
  /** The same objects, for those who look after them. */
  readonly upkeep: {
    inventory(ticketTypeId: string): InventoryUpkeepPort;
    gate(eventId: string): UpkeepPort;
    desk(number: DeskNumber): UpkeepPort;
  };
  readonly paymentProviders: PaymentProviders;
  readonly breakers: CircuitBreakers;
  readonly mintQueue: Queue<MintMessage>;
  readonly eventQueue: Queue<EventMessage>;
  readonly assetQueue: Queue<AssetMessage>;
  /** The tree of tenants that have none of their own, and of assets whose mint names none. */
  readonly defaultTree: string;
  /** What reads and moves assets on chain; loaded on its first use. */
  assetChain(): Promise<AssetChain>;
  readonly chainQueue: Queue<TreeMessage>;
  /** Makes and looks at trees and collections; loaded on first use. */
  treeKeeper(): Promise<TreeKeeper>;
  /** The ring of `CREDENTIAL_SIGNING_KEYS`, imported once an isolate. */
  credentialKeys(): Promise<SigningKeys>;
  /** Keys derived from the same ring, for secrets that D1 keeps. */
  sealingKeys(): Promise<SealingKeys>;
  /** The ring of `INTERNAL_WEBHOOK_SECRETS`, newest first. */
  readonly internalSecrets: readonly string[];
  /** True when the chain's RPC node says it is healthy; rejects when it cannot be reached. */
  isChainHealthy(): Promise<boolean>;
}

/** A context whose caller is known. */
export interface SignedInContext extends ServiceContext {
  readonly principal: Principal;
}
