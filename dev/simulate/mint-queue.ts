import { drizzle, type DrizzleD1Database } from "drizzle-orm/d1";
import type { MintMessage } from "#domain/order-messages";
import type { Logger } from "#platform/logger";
import { consumeMints } from "#queues/mint-consumer";
import { requeueStaleMints } from "#services/mint/requeue-stale-mints";
import type { Sender } from "./network.ts";
import { reachD1 } from "./reach-d1.ts";
import { SIMULATED_TREES, SimulatedChain } from "./simulated-chain.ts";
import { runAs } from "./simulated-time.ts";
import { insist, type Stage } from "./stage.ts";
import { createWorldLogger } from "./world-logger.ts";

/** How long a message waits at most, ms. */
const LONGEST_WAIT_MS = 10_000;
/** How often the cron runs, ms. */
const CRON_EVERY_MS = 60_000;
const SENT_TWICE = 0.1;
/** Deliveries that `wrangler.toml` allows before a message is given up. */
const MOST_DELIVERIES = 100;

/** The queue of tickets to mint, and the Worker's consumer behind it. It may refuse, lose, send twice, and send in any order. */
export class MintQueue {
  readonly chain: SimulatedChain;
  readonly #stage: Stage;
  readonly #logger: Logger;
  readonly #db: DrizzleD1Database;

  constructor(stage: Stage) {
    this.#stage = stage;
    this.chain = new SimulatedChain(stage);
    this.#logger = createWorldLogger(stage.world, "mint");
    this.#db = drizzle(stage.d1.open(reachD1(stage, stage.worker)));
  }

  /** The binding, as a desk or the Worker reaches it. */
  openFor(life: Sender): Queue<MintMessage> {
    const { network, outages, world } = this.#stage;
    const sendBatch = (messages: Iterable<{ readonly body: MintMessage }>): Promise<void> =>
      network.call({ from: life, subject: "queue.sendBatch", mayComeTwice: false }, (answer, fail) => {
        if (outages.isDown("queue")) return fail(new Error("the queue is away"));
        for (const { body } of messages) if (!world.isDue("loseQueued")) this.#take(body);
        answer(undefined);
      });
    return { sendBatch, send: ({ ticketId }) => Promise.reject(new Error(`${ticketId} was sent alone`)) };
  }

  /** What the cron does for mints, each minute, for ever. */
  sendStaleAgain(): void {
    const { world, worker } = this.#stage;
    const requeue = (): Promise<number> =>
      requeueStaleMints({ db: this.#db, mintQueue: this.openFor(worker), nowMs: world.loop.nowMs });
    runAs(worker, () => void insist(this.#stage, 1, requeue));
    world.loop.after(CRON_EVERY_MS, undefined, () => this.sendStaleAgain());
  }

  #take(message: MintMessage): void {
    const { random } = this.#stage.world;
    const copies = random.chance(SENT_TWICE) ? 2 : 1;
    for (let copy = 0; copy < copies; copy += 1) this.#deliverIn(random.between(0, LONGEST_WAIT_MS), message, 1);
  }

  #deliverIn(delayMs: number, body: MintMessage, attempts: number): void {
    const { world, worker } = this.#stage;
    if (attempts > MOST_DELIVERIES) return world.fail(`the mint of ticket ${body.ticketId} is given up`);
    world.loop.after(delayMs, worker, () => {
      world.count("mint");
      runAs(worker, () => void this.#consume(body, attempts));
    });
  }

  async #consume(body: MintMessage, attempts: number): Promise<void> {
    const { world } = this.#stage;
    const message = {
      id: body.ticketId,
      timestamp: new Date(world.loop.nowMs),
      body,
      attempts,
      ack: () => undefined,
      retry: ({ delaySeconds = 1 }: { readonly delaySeconds?: number } = {}) =>
        this.#deliverIn(delaySeconds * 1_000, body, attempts + 1),
    };
    const batch = { queue: "mint", messages: [message] } as unknown as MessageBatch; // all that the consumer uses of it
    const chain = { minter: this.chain, treeKeeper: SIMULATED_TREES };
    const context = { db: this.#db, publicBaseUrl: "https://tickets.test", nowMs: world.loop.nowMs };
    await consumeMints({ ...chain, ...context, logger: this.#logger }, batch);
  }
}
