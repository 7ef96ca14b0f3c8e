import type { InventoryRules } from "#domain/inventory-group";
import type { InventoryConfig } from "#domain/inventory-messages";
import { configureLog } from "#platform/logger";
import { Buyers } from "./buyers.ts";
import { EventLoop } from "./event-loop.ts";
import { checkAtRest, isAtRest } from "./final-checks.ts";
import { buildStage } from "./build-stage.ts";
import type { MintQueue } from "./mint-queue.ts";
import { Organiser } from "./organiser.ts";
import type { Payments } from "./payments.ts";
import { Random } from "./random.ts";
import { Setbacks } from "./setbacks.ts";
import { installSimulatedTime, runAs } from "./simulated-time.ts";
import { closeStage, type Stage } from "./stage.ts";
import { Surroundings, type OperationKind } from "./surroundings.ts";

/** 15 November 2030: any moment does. */
const START_MS = 1_921_000_000_000;
/** Between two visits at most, ms: a rush, or a quiet day. */
const BETWEEN_VISITS_MS = [20, 100, 400];
/** How long a world may take to come to rest once nothing goes wrong any more, and how often it is looked at, ms. */
const LONGEST_SETTLING_MS = 3 * 3_600_000;
const LOOKED_AT_EVERY_MS = 5_000;

/** What one world was asked, and what came of it. */
export interface WorldReport {
  readonly seed: number;
  readonly counts: Readonly<Record<OperationKind, number>>;
  readonly operations: number;
  readonly orders: number;
  readonly tickets: number;
  readonly simulatedMs: number;
  /** How often what happened, by name. */
  readonly happened: Readonly<Record<string, number>>;
  /** SHA-256 over everything that happened, in order: two runs of one seed have the same. */
  readonly traceHash: string;
}

/**
 * What makes one world. `rules` puts other decisions in the inventories, and `longestTimerMs` takes the limits away that are longer,
 * to see that what is broken so is found out.
 */
export interface WorldOptions {
  readonly seed: number;
  readonly operations: number;
  readonly rules?: InventoryRules;
  readonly longestTimerMs?: number;
}

/**
 * Runs one world: so many operations with everything going wrong, then none, until all is at rest; and judges it all along.
 * @throws SimulationFailure with the first thing that was wrong.
 */
export async function runWorld({ seed, operations, rules, longestTimerMs }: WorldOptions): Promise<WorldReport> {
  installSimulatedTime();
  configureLog("fatal");
  const random = new Random(seed);
  const world = new Surroundings(seed, random, new EventLoop(random, START_MS, longestTimerMs));
  const { stage, configs, payments, queue } = buildStage(world, rules);
  const show = new Show(
    stage,
    new Organiser(stage),
    new Buyers(stage, payments, new Setbacks(stage, payments)),
    payments,
    queue,
  );
  await show.run(configs, operations);
  if (!world.failure) checkAtRest(stage, queue.chain);
  closeStage(stage);
  if (world.failure) throw world.failure;
  const { counts, happened, loop, trace } = world;
  return {
    seed,
    counts,
    operations: world.operations,
    orders: stage.orders.orders.size,
    tickets: stage.types.reduce((sum, { model }) => sum + model.soldCount, 0),
    simulatedMs: loop.nowMs - START_MS,
    happened: Object.fromEntries([...happened].toSorted(([one], [other]) => (one < other ? -1 : 1))),
    traceHash: trace.digest(),
  };
}

/** The order of the day: open the sale, let people come, then let everything come to rest. */
class Show {
  readonly #stage: Stage;
  readonly #organiser: Organiser;
  readonly #buyers: Buyers;
  readonly #payments: Payments;
  readonly #queue: MintQueue;
  readonly #mostBetweenVisitsMs: number;
  #isClosing = false;
  #isOver = false;
  /** Flows of the Worker that go on. */
  #underWay = 0;

  constructor(stage: Stage, organiser: Organiser, buyers: Buyers, payments: Payments, queue: MintQueue) {
    this.#stage = stage;
    this.#organiser = organiser;
    this.#buyers = buyers;
    this.#payments = payments;
    this.#queue = queue;
    this.#mostBetweenVisitsMs = stage.world.random.pick(BETWEEN_VISITS_MS);
  }

  async run(configs: readonly InventoryConfig[], operations: number): Promise<void> {
    const { world, outages } = this.#stage;
    outages.begin();
    this.#queue.sendStaleAgain();
    this.#start(async () => {
      await this.#organiser.open(configs);
      this.#start(() => this.#organiser.changeTheSale(() => this.#isClosing));
      this.#expectVisit(operations);
    });
    this.#start(() => this.#organiser.visitAll(), 0);
    await world.loop.run(() => world.failure !== undefined || this.#isOver);
  }

  #expectVisit(operations: number): void {
    const { world } = this.#stage;
    if (world.operations >= operations) return this.#close();
    world.loop.after(world.random.between(0, this.#mostBetweenVisitsMs), undefined, () => {
      this.#start(() => this.#buyers.visit());
      this.#expectVisit(operations);
    });
  }

  #close(): void {
    const { world, outages } = this.#stage;
    this.#isClosing = true;
    world.note("from here on nothing goes wrong");
    world.calmDown();
    outages.end();
    this.#waitForRest(world.loop.nowMs + LONGEST_SETTLING_MS);
  }

  #waitForRest(untilMs: number): void {
    const { world } = this.#stage;
    world.loop.after(LOOKED_AT_EVERY_MS, undefined, () => {
      this.#isOver = this.#underWay === 0 && this.#payments.undelivered === 0 && isAtRest(this.#stage);
      if (world.loop.nowMs > untilMs) world.fail("the world does not come to rest");
      if (!this.#isOver) this.#waitForRest(untilMs);
    });
  }

  /** Starts a flow of the Worker. `weight` 0: nobody waits for its end. */
  #start(flow: () => Promise<void>, weight = 1): void {
    this.#underWay += weight;
    runAs(this.#stage.worker, () => void this.#follow(flow, weight));
  }

  async #follow(flow: () => Promise<void>, weight: number): Promise<void> {
    try {
      await flow();
    } catch (error) {
      this.#stage.world.fail(`a flow broke: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
    } finally {
      this.#underWay -= weight;
    }
  }
}
