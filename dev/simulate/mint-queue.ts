import type { MintMessage } from "#domain/order-messages";
import type { Sender } from "./network.ts";
import type { Stage } from "./stage.ts";

/** How long a message waits at most, ms. */
const LONGEST_WAIT_MS = 30_000;
const SENT_TWICE = 0.1;

/** The queue of tickets to mint: it may refuse, send twice, and send in any order. */
export class MintQueue {
  /** The tickets that came out of it, each with how often. */
  readonly delivered = new Map<string, number>();
  readonly #stage: Stage;

  constructor(stage: Stage) {
    this.#stage = stage;
  }

  /** The binding, as a desk reaches it. */
  openFor(life: Sender): Queue<MintMessage> {
    const { network, outages } = this.#stage;
    const sendBatch = (messages: Iterable<{ readonly body: MintMessage }>): Promise<void> =>
      network.call({ from: life, subject: "queue.sendBatch", mayComeTwice: false }, (answer, fail) => {
        if (outages.isDown("queue")) return fail(new Error("the queue is away"));
        for (const { body } of messages) this.#take(body);
        answer(undefined);
      });
    return { sendBatch, send: ({ ticketId }) => Promise.reject(new Error(`${ticketId} was sent alone`)) };
  }

  #take(message: MintMessage): void {
    const { random, loop } = this.#stage.world;
    const copies = random.chance(SENT_TWICE) ? 2 : 1;
    for (let copy = 0; copy < copies; copy += 1) {
      loop.after(random.between(0, LONGEST_WAIT_MS), undefined, () => this.#deliver(message));
    }
  }

  #deliver({ ticketId, tenantId }: MintMessage): void {
    const { world, d1 } = this.#stage;
    world.count("mint");
    this.delivered.set(ticketId, (this.delivered.get(ticketId) ?? 0) + 1);
    const jobs = d1.run("SELECT 1 FROM mint_jobs WHERE ticket_id = ? AND tenant_id = ?", ticketId, tenantId);
    world.require(jobs.length === 1, () => `ticket ${ticketId} is to be minted, and D1 has no such job`);
  }
}
