import { discountStockConfigs } from "#domain/discount-stock";
import type { InventoryConfig } from "#domain/inventory-messages";
import { insist, listStocks, pause, type CodeOnSale, type Stage, type Stock, type TypeOnSale } from "./stage.ts";

const PATIENCE = 1_000;
/** Between two changes of the sale, and between two rounds of the cron, ms. */
const CHANGES_EVERY_MS = 20_000;
const CRON_EVERY_MS = 60_000;
/** D1 hears of a new type this much later at most, ms: an inventory may have news before its type is there. */
const LATEST_ROW_MS = 3_000;

/** The organiser, who puts types on sale and changes them while they sell, and the cron, which visits every object. */
export class Organiser {
  readonly #stage: Stage;

  constructor(stage: Stage) {
    this.#stage = stage;
  }

  /** Configures every inventory and writes its type or code to D1, in this order, as the service does. */
  async open(configs: readonly InventoryConfig[]): Promise<void> {
    const { d1, tenantId, eventId, types } = this.#stage;
    d1.run(
      `INSERT INTO events (id, tenant_id, name, starts_at_ms, ends_at_ms, timezone, currency, created_at_ms, updated_at_ms)
       VALUES (?, ?, 'A night out', 1, 2, 'UTC', 'EUR', 1, 1)`,
      eventId,
      tenantId,
    );
    d1.run(
      `INSERT INTO webhook_endpoints (id, tenant_id, url, event_types, sealed_secret, sealed_with, status, created_at_ms)
       VALUES ('endpoint', ?, 'https://hooks.example.org', '[]', 'sealed', 1, 'ACTIVE', 1)`,
      tenantId,
    );
    await Promise.all(
      configs.map(async (config, position) => {
        const type = types[position];
        if (!type) throw new Error("each configuration has its type");
        await this.#configure(type, config);
        await pause(this.#stage, this.#stage.world.random.between(0, LATEST_ROW_MS));
        this.#insertType(type, config, position + 1);
      }),
    );
    await Promise.all(this.#stage.codes.map((code) => this.#openCode(code)));
  }

  async #openCode({ discount, stocks }: CodeOnSale): Promise<void> {
    const configs = discountStockConfigs(discount, false);
    await Promise.all(
      stocks.map((stock) => {
        const config = configs.find(({ ticketTypeId }) => ticketTypeId === stock.stockName);
        if (!config) throw new Error("each cap has its configuration");
        return this.#configure(stock, config);
      }),
    );
    await pause(this.#stage, this.#stage.world.random.between(0, LATEST_ROW_MS));
    const { id, tenantId, code, rule, maxUses, stackable } = discount;
    this.#stage.d1.run(
      `INSERT INTO discounts (id, tenant_id, code, type, rule, max_uses, stackable, created_at_ms) VALUES (?, ?, ?, ?, ?, ?, ?, 1)`,
      id,
      tenantId,
      code,
      rule.type,
      JSON.stringify(rule),
      maxUses,
      Number(stackable),
    );
  }

  /** Changes the sale now and then, until `isOver`. Only one change of a type is under way at a time. */
  async changeTheSale(isOver: () => boolean): Promise<void> {
    const { world } = this.#stage;
    const stocks = listStocks(this.#stage);
    while (!isOver()) {
      await pause(this.#stage, world.random.between(1_000, CHANGES_EVERY_MS));
      const stock = world.random.pick(stocks);
      const { config } = stock.model;
      if (config) await this.#configure(stock, config.discount ? this.#changeCap(config) : this.#change(config));
    }
  }

  /** Wakes every object again and again, as the cron does: one whose alarm was lost goes on after that. */
  async visitAll(): Promise<void> {
    const { world, worker, desks } = this.#stage;
    for (;;) {
      await pause(this.#stage, CRON_EVERY_MS);
      for (const { host } of listStocks(this.#stage)) {
        await insist(this.#stage, 1, () => host.call(worker, "wake", []));
        const stock = await insist(this.#stage, 1, () => host.call(worker, "snapshot", []));
        if (!stock) continue;
        const { capacity, heldCount, soldCount, availableCount } = stock;
        const isWhole =
          heldCount + soldCount + availableCount === capacity && Math.min(heldCount, soldCount, availableCount) >= 0;
        world.require(isWhole, () => `${host.name} shows ${JSON.stringify(stock)}`);
      }
      for (const desk of desks.values()) await insist(this.#stage, 1, () => desk.call(worker, "wake", []));
    }
  }

  #changeCap(config: InventoryConfig): InventoryConfig {
    return { ...config, capacity: Math.max(1, config.capacity + this.#stage.world.random.between(-5, 5)) };
  }

  #change(config: InventoryConfig): InventoryConfig {
    const { random } = this.#stage.world;
    if (config.status === "ARCHIVED") return { ...config, status: "ACTIVE" };
    const draw = random.next();
    if (draw < 0.6) return { ...config, capacity: Math.max(1, config.capacity + random.between(-20, 20)) };
    if (draw < 0.75) return { ...config, reservationTtlSeconds: random.between(5, 60) };
    if (draw < 0.9) return { ...config, maxPerUser: random.pick([null, 4, 8]) };
    return { ...config, status: "ARCHIVED" };
  }

  async #configure({ host, model }: Stock, config: InventoryConfig): Promise<void> {
    const { world, worker } = this.#stage;
    const answer = await insist(this.#stage, PATIENCE, () => {
      world.count("organiser");
      return host.call(worker, "configure", [config], false);
    });
    if (answer?.ok) {
      world.require(JSON.stringify(model.config) === JSON.stringify(config), () => `${host.name} lost its configuration`);
    } else if (answer?.failure.code !== "capacity_below_committed" || answer.failure.committedCount <= config.capacity) {
      world.fail(`${host.name} refused its configuration: ${JSON.stringify(answer)}`);
    }
  }

  #insertType({ stockName, priced }: TypeOnSale, config: InventoryConfig, number: number): void {
    const { tenantId, eventId, d1 } = this.#stage;
    const { capacity, minPerOrder, maxPerOrder, maxPerUser, reservationTtlSeconds } = config;
    const { name, priceCents, feeCents, taxRateBps } = priced;
    d1.run(
      `INSERT INTO ticket_types (id, tenant_id, event_id, number, name, price_cents, fee_cents, tax_rate_bps, quantity, min_per_order,
         max_per_order, max_per_user, reservation_ttl_seconds, transferable, status, created_at_ms, updated_at_ms)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 1, 'ACTIVE', 1, 1)`,
      stockName,
      tenantId,
      eventId,
      number,
      name,
      priceCents,
      feeCents,
      taxRateBps,
      capacity,
      minPerOrder,
      maxPerOrder,
      maxPerUser,
      reservationTtlSeconds,
    );
  }
}
