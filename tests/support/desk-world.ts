/** An order desk in a world that tests can break: its inventories, its provider and its clock are here, its D1 is the real one. */
import { env } from "cloudflare:workers";
import { runInDurableObject } from "cloudflare:test";
import { vi } from "vitest";
import { deriveId, deskName, deskNumberFor, hashParts } from "#domain/ids";
import type { InventoryCommand, InventoryOutcome } from "#domain/inventory-group";
import type {
  AppliedDiscount,
  BasketLine,
  MintMessage,
  OrderPayment,
  PaymentNews,
  PlaceCommand,
  RequestIdentity,
} from "#domain/order-messages";
import type { OrderNumberBlock } from "#domain/order-number";
import { priceBasket } from "#domain/pricing";
import { OrderDeskObject } from "#durable-objects/order-desk/order-desk";
import type { RefundRequest } from "#payments/payment-provider";
import type { Logger } from "#platform/logger";
import { leaseOrderNumbers } from "#storage/order-number-leases";
import { makeBreakableD1, makeInventory, makeMintQueue, makeProvider, type Call, type MakeCall } from "./breakable-reach.ts";
import { insertEvent, makeInventoryConfig } from "./inventory-fixture.ts";
import { MemoryGate } from "./memory-gate.ts";
import { MemoryInventory } from "./memory-inventory.ts";
import { newsOfOrder } from "./payment-news.ts";
import { storeDiscount } from "./store-discount.ts";

/** A desk as tests open it. */
export type TestDesk = OrderDeskObject<Cloudflare.Env>;

/** How long stock is held in these tests, ms. */
export const HOLD_MS = 600_000;

/** What a test says of a call: let it through, fail it, never answer it, or let the whole desk die at it. */
export type Fault = "ok" | "fails" | "hangs" | "dies_before" | "dies_after";

const NEVER = new Promise<never>(() => undefined);

/** The world around one desk of one tenant. */
export class DeskWorld {
  readonly tenantId = crypto.randomUUID();
  readonly userId = crypto.randomUUID();
  readonly eventId = crypto.randomUUID();
  readonly ticketTypeIds: string[] = [];
  readonly inventories = new Map<string, MemoryInventory>();
  readonly gate = new MemoryGate();
  readonly calls: Call[] = [];
  /** Refunds that the provider has taken, by idempotency key. */
  readonly refunds = new Map<string, RefundRequest>();
  readonly queued: MintMessage[] = [];
  /** Messages that told of new outgoing events. */
  readonly announced: unknown[] = [];
  readonly alerts: unknown[] = [];
  /** Decides each call's fate by its position. */
  fault: (call: Call, position: number) => Fault = () => "ok";
  readonly state: DurableObjectState;
  #die: () => void = () => undefined;
  /** Which desk is alive: calls of an earlier one never return, as those of a dead process. */
  #life = 0;
  #isDead = false;
  readonly #logger: Logger = {
    debug: () => undefined,
    info: () => undefined,
    warn: () => undefined,
    error: (_, fields) => this.alerts.push(fields?.["alert"]),
    with: () => this.#logger,
  };

  constructor(state: DurableObjectState) {
    this.state = state;
  }

  /** A type on sale with this stock, in D1 too. @returns its id. */
  async addType(capacity: number): Promise<string> {
    const { tenantId, eventId } = this;
    const config = makeInventoryConfig({
      tenantId,
      eventId,
      capacity,
      maxPerOrder: 100,
      reservationTtlSeconds: HOLD_MS / 1_000,
    });
    if (this.ticketTypeIds.length === 0) await insertEvent(config);
    await env.DB.prepare(
      `INSERT INTO ticket_types (id, tenant_id, event_id, number, name, price_cents, quantity, min_per_order, max_per_order,
         reservation_ttl_seconds, transferable, fee_cents, tax_rate_bps, status, created_at_ms, updated_at_ms)
       VALUES (?, ?, ?, ?, 'Floor', 1000, ?, 1, 100, 600, 1, 0, 1900, 'ACTIVE', 1, 1)`,
    )
      .bind(config.ticketTypeId, tenantId, eventId, this.ticketTypeIds.length + 1, capacity)
      .run();
    this.inventories.set(config.ticketTypeId, new MemoryInventory(config));
    this.ticketTypeIds.push(config.ticketTypeId);
    return config.ticketTypeId;
  }

  /** A discount with this many uses, in D1 too. @returns what an order that uses it once has of it. */
  async addDiscount(maxUses: number): Promise<AppliedDiscount> {
    const { applied, configs } = await storeDiscount(this.tenantId, maxUses);
    for (const config of configs) this.inventories.set(config.ticketTypeId, new MemoryInventory(config));
    return applied;
  }

  /** A desk over what is stored, as after a restart: nothing of an earlier one is in its memory. */
  openDesk(): TestDesk {
    this.#life += 1;
    this.#isDead = false;
    const life = this.#life;
    const call: MakeCall = (name, make) => this.#call(life, name, make);
    return new OrderDeskObject(this.state, env, {
      db: makeBreakableD1(call),
      mintQueue: makeMintQueue(call, this.queued),
      eventQueue: {
        send: async (message) => {
          this.announced.push(message);
          return { metadata: { metrics: { backlogCount: 0, backlogBytes: 0 } } };
        },
      },
      inventory: (ticketTypeId) => {
        const snapshot = () => this.inventories.get(ticketTypeId)?.snapshotAt(Date.now());
        return makeInventory(call, (command) => this.tell(ticketTypeId, command), snapshot);
      },
      gate: () => this.gate.openFor(call),
      paymentProviders: { standard: makeProvider(call, this.refunds) },
      leaseBlock: (tenantId) => call("lease", () => this.lease(tenantId)),
      logger: this.#logger,
    });
  }

  /** How order numbers are leased; a test may put its own in place. */
  lease: (tenantId: string) => Promise<OrderNumberBlock> = (tenantId) =>
    leaseOrderNumbers(env.DB, tenantId, hashParts([tenantId]));

  /** What `work` gives, or undefined when the desk died at a call on the way, or has died since. */
  async untilDeath<T>(work: () => Promise<T>): Promise<T | undefined> {
    if (this.#isDead) return undefined;
    const death = new Promise<undefined>((resolve) => {
      // What the dead desk had already handed to its storage is still written.
      this.#die = () => setTimeout(() => resolve(undefined), 5);
    });
    return Promise.race([work(), death]);
  }

  request(key: string, body = "", route = "purchase"): RequestIdentity {
    const { tenantId, userId } = this;
    const requestId = deriveId(deskNumberFor(tenantId, userId, 1), [tenantId, userId, route, key]);
    return { tenantId, userId, requestId, route, bodyHash: hashParts([body]) };
  }

  place(key: string, lines: readonly BasketLine[], priceCents = 1_000): PlaceCommand {
    const types = new Map(
      lines.map(({ ticketTypeId }) => [
        ticketTypeId,
        { ticketTypeId, name: "Floor", priceCents, feeCents: 0, taxRateBps: 1900 },
      ]),
    );
    const priced = priceBasket(lines, types, "EUR");
    return { request: this.request(key, JSON.stringify(lines)), eventId: this.eventId, ...priced, walletAddress: null };
  }

  /** News of a payment of an order. */
  news(orderId: string, changes: Partial<PaymentNews> = {}): PaymentNews {
    return newsOfOrder(orderId, changes);
  }

  payment(orderId: string): OrderPayment {
    return {
      provider: "standard",
      paymentId: `pay-${orderId}`,
      status: "REQUIRES_ACTION",
      action: { type: "redirect", url: "https://pay.test/1" },
    };
  }

  /** Sold and held tickets of a type at this moment. */
  stock(ticketTypeId: string): { heldCount: number; soldCount: number } {
    const snapshot = this.inventories.get(ticketTypeId)?.snapshotAt(Date.now());
    return { heldCount: snapshot?.heldCount ?? -1, soldCount: snapshot?.soldCount ?? -1 };
  }

  /** Tells an inventory something past the desk, as other desks and other buyers do. */
  tell(ticketTypeId: string, command: InventoryCommand): InventoryOutcome {
    const inventory = this.inventories.get(ticketTypeId);
    if (!inventory) throw new Error("no such ticket type");
    return inventory.apply(command, Date.now());
  }

  /** Takes a type's stock away for good, as other buyers do. */
  sellElsewhere(ticketTypeId: string, quantity: number): void {
    const { tenantId } = this;
    const reservationId = crypto.randomUUID();
    this.tell(ticketTypeId, { kind: "reserve", command: { tenantId, reservationId, userId: crypto.randomUUID(), quantity } });
    this.tell(ticketTypeId, { kind: "confirm", command: { tenantId, reservationId, orderId: crypto.randomUUID() } });
  }

  /** Rows of the desk's own SQLite. */
  rows(sql: string, ...values: (string | number)[]): Record<string, SqlStorageValue>[] {
    return this.state.storage.sql.exec(sql, ...values).toArray();
  }

  /** Orders that are due by now. */
  countDue(): number {
    return Number(this.rows("SELECT COUNT(*) AS due FROM orders WHERE due_at_ms <= ?", Date.now())[0]?.["due"]);
  }

  /** Runs the alarm, a minute apart, until there is nothing to tell and nothing due. */
  async settleDown(desk: TestDesk, rounds = 30): Promise<void> {
    for (let round = 0; round < rounds; round += 1) {
      vi.setSystemTime(Date.now() + 61_000);
      await desk.alarm();
      if (this.countDue() === 0 && this.rows("SELECT 1 FROM outbox").length === 0) return;
    }
    throw new Error("the desk did not come to rest");
  }

  async findRow(sql: string, ...values: string[]): Promise<Record<string, unknown> | undefined> {
    return (await this.listRows(sql, ...values))[0];
  }

  /** Rows of D1. */
  async listRows(sql: string, ...values: string[]): Promise<Record<string, unknown>[]> {
    return (
      await env.DB.prepare(sql)
        .bind(...values)
        .all()
    ).results;
  }

  async #call<T>(life: number, call: Call, make: () => T | Promise<T>): Promise<T> {
    if (life !== this.#life) return NEVER;
    const fate = this.fault(call, this.calls.push(call) - 1);
    await scheduler.wait(0);
    if (life !== this.#life) return NEVER;
    if (fate === "fails") throw new Error(`${call} failed`);
    if (fate === "hangs") return NEVER;
    if (fate === "dies_before") return this.#hang(life);
    const answer = await make();
    return fate === "dies_after" || life !== this.#life ? this.#hang(life) : answer;
  }

  #hang(life: number): Promise<never> {
    if (life !== this.#life) return NEVER;
    this.#life += 1;
    this.#isDead = true;
    this.#die();
    return NEVER;
  }
}

/**
 * Runs a test inside the Durable Object of a new tenant's desk. Its own alarm never fires: the test decides when time passes,
 * with the clock it has been given.
 */
export async function inDeskWorld(test: (world: DeskWorld) => Promise<void>): Promise<void> {
  const stub = env.ORDER_DESK.getByName(`${deskName(0)}-${crypto.randomUUID()}`);
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() });
  try {
    await runInDurableObject(stub, async (_, state) => {
      state.storage.setAlarm = async () => undefined;
      await test(new DeskWorld(state));
    });
  } finally {
    vi.useRealTimers();
  }
}
