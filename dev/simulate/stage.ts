import type { Discount } from "#domain/discount";
import type { DeskPort } from "#domain/order-messages";
import type { InventoryPort } from "#domain/inventory-messages";
import type { PricedType } from "#domain/pricing";
import type { InventoryProjectorPort } from "#durable-objects/inventory-projector/inventory-projector";
import type { DurableHost, Hosted } from "./durable-host.ts";
import type { D1Server } from "./d1-server.ts";
import type { Network, Sender } from "./network.ts";
import type { OrderModel } from "./order-model.ts";
import type { Outages } from "./outages.ts";
import type { PaymentBook } from "./payment-book.ts";
import type { PromiseBook } from "./promise-book.ts";
import type { SimulatedGate } from "./simulated-gate.ts";
import type { StockModel } from "./stock-model.ts";
import type { Surroundings } from "./surroundings.ts";

/** A desk with its disk. */
export type DeskHost = DurableHost<DeskPort & Hosted>;
/** An inventory with its disk. */
export type InventoryHost = DurableHost<InventoryPort & Hosted>;

/** What takes the news of inventories to D1. */
export type ProjectorHost = DurableHost<InventoryProjectorPort & Hosted>;

/** Stock of something: the object that keeps it, and the model that follows it. */
export interface Stock {
  /** A ticket type's id, or the name of a discount's cap. */
  readonly stockName: string;
  readonly host: InventoryHost;
  readonly model: StockModel;
}

/** A ticket type on sale, and what it costs. */
export interface TypeOnSale extends Stock {
  readonly priced: PricedType;
}

/** A discount code, and the stock of its caps: none when it has no cap. */
export interface CodeOnSale {
  readonly discount: Discount;
  readonly stocks: readonly Stock[];
}

/** All of a simulated world that those who act in it, and those who judge it, need. */
export interface Stage {
  readonly world: Surroundings;
  readonly network: Network;
  /** The Worker, through which buyers and providers call: it does not die, its callers just get no answer. */
  readonly worker: Sender;
  readonly tenantId: string;
  readonly eventId: string;
  readonly desksPerTenant: number;
  readonly types: readonly TypeOnSale[];
  readonly codes: readonly CodeOnSale[];
  readonly desks: ReadonlyMap<number, DeskHost>;
  readonly projector: ProjectorHost;
  readonly d1: D1Server;
  readonly gate: SimulatedGate;
  readonly outages: Outages;
  readonly payments: PaymentBook;
  readonly promises: PromiseBook;
  readonly orders: OrderModel;
}

/** The currency of everything on sale. */
export const CURRENCY = "EUR";

/** Every stock there is: of the ticket types, then of the codes' caps. */
export function listStocks({ types, codes }: Pick<Stage, "types" | "codes">): readonly Stock[] {
  return [...types, ...codes.flatMap(({ stocks }) => stocks)];
}

/** The stock of this name. @throws when there is none here. */
export function stockOf(stage: Pick<Stage, "types" | "codes">, stockName: string): Stock {
  const stock = listStocks(stage).find((candidate) => candidate.stockName === stockName);
  if (!stock) throw new Error(`no stock ${stockName}`);
  return stock;
}

/** Gives the memory of every database back. */
export function closeStage(stage: Stage): void {
  for (const { disk } of [...stage.desks.values(), stage.projector]) disk.database.close();
  for (const { host } of listStocks(stage)) host.disk.database.close();
  stage.d1.connection.close();
}

/** Waits in simulated time, in the name of the Worker. */
export function pause({ world, worker }: Stage, delayMs: number): Promise<void> {
  return new Promise((resolve) => world.loop.after(delayMs, worker, resolve));
}

/** Tries again, waiting longer each time, until there is an answer; undefined when the caller has lost patience. */
export async function insist<T>(stage: Stage, attempts: number, attempt: () => Promise<T>): Promise<T | undefined> {
  for (let tried = 0; tried < attempts; tried += 1) {
    try {
      return await attempt();
    } catch (error) {
      stage.world.note(`worker: ${error instanceof Error ? error.message : String(error)}`);
      await pause(stage, stage.world.random.between(0, 500 * 2 ** Math.min(tried, 6)));
    }
  }
  return undefined;
}
