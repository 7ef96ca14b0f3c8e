import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { discountStockConfigs } from "#domain/discount-stock";
import { deskNumberFor } from "#domain/ids";
import { INVENTORY_RULES, type InventoryRules } from "#domain/inventory-group";
import type { InventoryConfig } from "#domain/inventory-messages";
import type { PricedType } from "#domain/pricing";
import { openDesk, openProjector, openStock } from "./build-objects.ts";
import { D1Server } from "./d1-server.ts";
import { drawDiscounts } from "./draw-discounts.ts";
import { MintQueue } from "./mint-queue.ts";
import { Network, type Sender } from "./network.ts";
import { OrderModel } from "./order-model.ts";
import { Outages } from "./outages.ts";
import { PaymentBook } from "./payment-book.ts";
import { Payments } from "./payments.ts";
import { PromiseBook } from "./promise-book.ts";
import { SimulatedGate } from "./simulated-gate.ts";
import { stockOf, type CodeOnSale, type DeskHost, type Stage, type TypeOnSale } from "./stage.ts";
import type { Surroundings } from "./surroundings.ts";

const MOST_TYPES = 6;
const MOST_DESKS = 3;
const MIGRATIONS = join(import.meta.dirname, "../../migrations/d1");

/** A world that is set up and in which nothing has happened yet. */
export interface BuiltStage {
  readonly stage: Stage;
  readonly configs: readonly InventoryConfig[];
  readonly payments: Payments;
  readonly queue: MintQueue;
}

/** Builds everything there is: D1 with its real schema, the real objects on their own disks, and who watches them. */
export function buildStage(world: Surroundings, rules: InventoryRules = INVENTORY_RULES): BuiltStage {
  const { random, loop } = world;
  const network = new Network(world);
  const outages = new Outages(world);
  const gate = new SimulatedGate(network);
  const report = (what: string): void => world.fail(what);
  const tenantId = random.uuid();
  const payments = new PaymentBook(report);
  const worker: Sender = { name: "worker", isAlive: true, isLeftInTheEnd: true, loop, send: (message) => message() };
  const types: TypeOnSale[] = [];
  const codes: CodeOnSale[] = [];
  const orders = new OrderModel((stockName) => stockOf({ types, codes }, stockName).model, payments, gate, report);
  const desks = new Map<number, DeskHost>();
  const d1 = new D1Server();
  migrateD1(d1);
  const stage: Stage = {
    world,
    network,
    worker,
    tenantId,
    eventId: random.uuid(),
    desksPerTenant: random.between(1, MOST_DESKS),
    types,
    codes,
    desks,
    projector: openProjector({ world, network, outages, d1 }),
    d1,
    gate,
    outages,
    payments,
    promises: new PromiseBook(report),
    orders,
  };
  const configs = Array.from({ length: random.between(1, MOST_TYPES) }, () => drawConfig(stage));
  for (const { ticketTypeId } of configs) {
    const name = `inventory ${types.length + 1}`;
    types.push({ ...openStock(stage, ticketTypeId, name, rules), priced: drawPrice(stage, name) });
  }
  for (const discount of drawDiscounts(stage)) {
    const stocks = discountStockConfigs(discount, false).map((config) =>
      openStock(stage, config.ticketTypeId, `${discount.code}, ${config.discount?.cap}`, rules),
    );
    codes.push({ discount, stocks });
  }
  const provider = new Payments(stage);
  const queue = new MintQueue(stage);
  const firstDesk = deskNumberFor(tenantId, "", 1);
  for (let number = firstDesk; number < firstDesk + stage.desksPerTenant; number += 1) {
    desks.set(number, openDesk(stage, provider, queue));
  }
  return { stage, configs, payments: provider, queue };
}

function drawConfig({ world, tenantId, eventId }: Stage): InventoryConfig {
  const { random } = world;
  return {
    tenantId,
    eventId,
    ticketTypeId: random.uuid(),
    capacity: random.pick([random.between(1, 20), random.between(50, 500), random.between(500, 5_000)]),
    status: "ACTIVE",
    saleStartsAtMs: null,
    saleEndsAtMs: null,
    minPerOrder: 1,
    maxPerOrder: 4,
    maxPerUser: random.pick([null, null, 6]),
    reservationTtlSeconds: random.between(5, 60),
  };
}

function drawPrice({ world }: Stage, name: string): PricedType {
  const priceCents = world.random.pick([0, 1_000, 4_999, 12_345]);
  return { name, priceCents, feeCents: priceCents === 0 ? 0 : world.random.pick([0, 150]), taxRateBps: 1_900 };
}

/** The project's own migrations, applied as wrangler does. */
function migrateD1(d1: D1Server): void {
  for (const name of readdirSync(MIGRATIONS).toSorted()) {
    if (name.endsWith(".sql")) d1.connection.runScript(readFileSync(join(MIGRATIONS, name), "utf8"));
  }
}
