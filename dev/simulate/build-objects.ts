import type { InventoryRules } from "#domain/inventory-group";
import type { InventoryConfig, InventoryPort } from "#domain/inventory-messages";
import type { OrderRecord } from "#domain/order";
import { InventoryProjector, type InventoryProjectorPort } from "#durable-objects/inventory-projector/inventory-projector";
import { OrderDeskObject } from "#durable-objects/order-desk/order-desk";
import { TicketTypeInventory } from "#durable-objects/ticket-type-inventory/ticket-type-inventory";
import { leaseOrderNumbers } from "#storage/order-number-leases";
import type { ReservationNews } from "#storage/reservations";
import { DurableHost } from "./durable-host.ts";
import type { MintQueue } from "./mint-queue.ts";
import type { Sender } from "./network.ts";
import type { Payments } from "./payments.ts";
import { reachD1 } from "./reach-d1.ts";
import type { SqliteConnection } from "./sqlite-connection.ts";
import { stockOf, type DeskHost, type InventoryHost, type ProjectorHost, type Stage, type Stock } from "./stage.ts";
import { StockModel } from "./stock-model.ts";
import { createWorldLogger } from "./world-logger.ts";

/** The rows of an outbox that a commit has added. */
class CommittedOutbox {
  #lastSeq = 0;

  listNew(database: SqliteConnection): { readonly topic: string; readonly body: string }[] {
    const { rows } = database.run("SELECT seq, topic, body FROM outbox WHERE seq > ? ORDER BY seq", [this.#lastSeq]);
    this.#lastSeq = Number(rows.at(-1)?.["seq"] ?? this.#lastSeq);
    return rows.map((row) => ({ topic: String(row["topic"]), body: String(row["body"]) }));
  }
}

/** Opens an inventory: the real one on its own disk, and the model that reads its history. */
export function openStock(stage: Stage, stockName: string, name: string, rules: InventoryRules): Stock {
  const { world, network } = stage;
  const model = new StockModel((what) => world.fail(`${name}: ${what}`));
  class InventoryUnderRules extends TicketTypeInventory {
    protected override readonly rules = rules;
  }
  const outbox = new CommittedOutbox();
  const host: InventoryHost = new DurableHost(world, network, {
    name,
    build: (state, life) =>
      new InventoryUnderRules(state, {
        DB: stage.d1.open(reachD1(stage, life)),
        INVENTORY_PROJECTOR: { getByName: () => reachProjector(stage.projector, life) },
      }),
    onCommit: (database) => {
      const rows = outbox.listNew(database);
      if (rows.length === 0) return;
      for (const row of rows) world.note(`${name} committed ${row.topic}`, row.body);
      const [config] = database.run("SELECT body FROM config").rows;
      const [counters] = database.run("SELECT sold_count, history_seq, clock_ms FROM counters").rows;
      const changes = rows
        .filter(({ topic }) => topic === "reservation")
        .map(({ body }) => JSON.parse(body) as ReservationNews); // the object wrote it
      for (const { cause } of changes) world.saw(`${stockName.startsWith("discount-") ? "use" : "stock"} ${cause}`);
      model.apply(JSON.parse(String(config?.["body"])) as InventoryConfig, changes, Number(counters?.["clock_ms"])); // the object wrote it
      const isSame = counters?.["sold_count"] === model.soldCount && counters["history_seq"] === model.history.length;
      world.require(isSame, () => `${name} counts ${JSON.stringify(counters)}, its history ${model.soldCount} sold`);
    },
  });
  return { stockName, host, model };
}

/** Opens the tenant's projector, which has nothing to lose but what it is at work on. */
export function openProjector(stage: Pick<Stage, "world" | "network" | "outages" | "d1">): ProjectorHost {
  class HostedProjector extends InventoryProjector {
    override alarm = (): Promise<void> => Promise.resolve();
    wake = (): Promise<void> => Promise.resolve();
  }
  return new DurableHost(stage.world, stage.network, {
    name: "projector",
    build: (state, life) => new HostedProjector(state, { DB: stage.d1.open(reachD1(stage, life)) }),
    onCommit: () => undefined,
  });
}

function reachProjector(host: ProjectorHost, life: Sender): InventoryProjectorPort {
  return { project: (news) => host.call(life, "project", [news]) };
}

/** Opens an order desk: the real one on its own disk, reaching all else over the network. */
export function openDesk(stage: Stage, provider: Payments, queue: MintQueue): DeskHost {
  const { world, network, orders } = stage;
  const name = `desk ${stage.desks.size + 1}`;
  const outbox = new CommittedOutbox();
  const logger = createWorldLogger(world, name);
  return new DurableHost(world, network, {
    name,
    build: (state, life) => {
      const db = stage.d1.open(reachD1(stage, life));
      return new OrderDeskObject(state, undefined, {
        db,
        logger,
        mintQueue: queue.openFor(life),
        // It only saves waiting: the events stand in D1.
        eventQueue: { send: () => Promise.reject(new Error("the queue of events is away")) },
        inventory: (stockName) => openInventory(stockOf(stage, stockName).host, life),
        gate: () => stage.gate.openFor(life),
        paymentProviders: { standard: provider.openFor(life) },
        leaseBlock: (tenantId) => leaseOrderNumbers(db, tenantId, world.random.hex(32)),
      });
    },
    onCommit: (database) => {
      const changed = new Map<string, boolean>();
      for (const { topic, body } of outbox.listNew(database)) {
        world.note(`${name} committed ${topic}`, body);
        if (topic !== "order") continue;
        const { orderId, isIssued } = JSON.parse(body) as { readonly orderId: string; readonly isIssued: boolean }; // the desk wrote it
        changed.set(orderId, isIssued || changed.get(orderId) === true);
      }
      for (const [orderId, isIssued] of changed) {
        const [row] = database.run("SELECT body FROM orders WHERE order_id = ?", [orderId]).rows;
        const body = String(row?.["body"]);
        const record = JSON.parse(body) as OrderRecord; // the desk wrote it
        world.note(`${name} has order`, body);
        world.saw(`order ${record.view.status}`);
        orders.apply(record, isIssued, world.loop.nowMs);
      }
    },
  });
}

/** An inventory, as a desk reaches it. */
function openInventory(host: InventoryHost, life: Sender): InventoryPort {
  return {
    configure: (config) => host.call(life, "configure", [config]),
    snapshot: () => host.call(life, "snapshot", []),
    reserve: (commands) => host.call(life, "reserve", [commands]),
    confirm: (commands) => host.call(life, "confirm", [commands]),
    release: (command) => host.call(life, "release", [command]),
    restock: (command) => host.call(life, "restock", [command]),
  };
}
