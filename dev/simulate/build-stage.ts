import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { deskNumberFor } from "#domain/ids";
import { INVENTORY_RULES, type InventoryRules } from "#domain/inventory-group";
import type { InventoryConfig } from "#domain/inventory-messages";
import { addDesk, addType } from "./build-objects.ts";
import { D1Server } from "./d1-server.ts";
import { MintQueue } from "./mint-queue.ts";
import { Network, type Sender } from "./network.ts";
import { OrderModel } from "./order-model.ts";
import { Outages } from "./outages.ts";
import { PaymentBook } from "./payment-book.ts";
import { Payments } from "./payments.ts";
import { PromiseBook } from "./promise-book.ts";
import { typeOf, type DeskHost, type Stage, type TypeOnSale } from "./stage.ts";
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
  const report = (what: string): void => world.fail(what);
  const tenantId = random.uuid();
  const payments = new PaymentBook(report);
  const worker: Sender = { name: "worker", isAlive: true, loop, send: (message) => message() };
  const types: TypeOnSale[] = [];
  const orders = new OrderModel((ticketTypeId) => typeOf({ types }, ticketTypeId).model, payments, report);
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
    desks,
    d1,
    outages,
    payments,
    promises: new PromiseBook(report),
    orders,
  };
  const configs = Array.from({ length: random.between(1, MOST_TYPES) }, () => drawConfig(stage));
  for (const config of configs) types.push(addType(stage, config, rules));
  const provider = new Payments(stage);
  const queue = new MintQueue(stage);
  const firstDesk = deskNumberFor(tenantId, "", 1);
  for (let number = firstDesk; number < firstDesk + stage.desksPerTenant; number += 1) {
    desks.set(number, addDesk(stage, provider, queue));
  }
  return { stage, configs, payments: provider, queue };
}

function drawConfig({ world, tenantId, eventId }: Stage): InventoryConfig {
  const { random } = world;
  return {
    tenantId,
    eventId,
    ticketTypeId: random.uuid(),
    capacity: random.pick([random.between(1, 20), random.between(20, 500), random.between(500, 5_000)]),
    status: "ACTIVE",
    saleStartsAtMs: null,
    saleEndsAtMs: null,
    minPerOrder: 1,
    maxPerOrder: 4,
    maxPerUser: random.pick([null, null, 6]),
    reservationTtlSeconds: random.between(5, 60),
  };
}

/** The project's own migrations, applied as wrangler does. */
function migrateD1(d1: D1Server): void {
  for (const name of readdirSync(MIGRATIONS).toSorted()) {
    if (name.endsWith(".sql")) d1.connection.runScript(readFileSync(join(MIGRATIONS, name), "utf8"));
  }
}
