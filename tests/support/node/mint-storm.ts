import { publicKey } from "@metaplex-foundation/umi";
import { and, count, eq, ne } from "drizzle-orm";
import type { Minter } from "#chain/minter";
import { Random } from "#dev/simulate/random";
import type { MintMessage } from "#domain/order-messages";
import { CircuitBreakers } from "#platform/circuit-breakers";
import { consumeDeadLetters } from "#queues/dead-letter-consumer";
import { consumeMints } from "#queues/mint-consumer";
import type { MintContext } from "#services/mint/mint-context";
import { queueMint } from "#services/mint/queue-mint";
import { requeueStaleMints } from "#services/mint/requeue-stale-mints";
import { mintJobs } from "#storage/schema";
import { sellOrder, SOLD_AT_MS, type SoldTickets } from "../sold-tickets.ts";
import { MintWeather } from "./mint-weather.ts";
import { openMintWorld, PUBLIC_BASE_URL, SILENT, SLOT_MS, type MintWorld } from "./mint-world.ts";
import { StormyD1 } from "./stormy-d1.ts";

/** What a storm is played with. The same options draw the same troubles; how calls interleave is the machine's. */
export interface StormOptions {
  readonly mode: "programs" | "emulator";
  readonly seed: number;
  readonly ticketCount: number;
  /** What makes room for mints in a transaction; the tree's lookup table when left out. */
  readonly room?: "plain" | "lookup table" | "version 1";
}

/** How a storm ended. */
export interface StormReport {
  /** Leaves of each ticket in the tree, counted by the hash of its metadata. */
  readonly leafCounts: readonly number[];
  readonly orderStatuses: readonly string[];
  /** Tickets of the transaction that minted most of them. */
  readonly mostTogether: number;
  /** How often each trouble came, by its name. */
  readonly troubles: Readonly<Record<string, number>>;
}

/** Slots for which the weather stays as it is, in which orders come, for which there is trouble, and by which all must be minted. */
const SPELL_SLOTS = 40;
const SELLING_SLOTS = 800;
const STORMY_SLOTS = 1_200;
const MOST_SLOTS = 12_000;
const EVENTS = 3;
/** Few, so that dead letters come. */
const MOST_DELIVERIES = 12;
const OPERATOR_EVERY_SLOTS = 100;
interface QueuedMessage {
  readonly body: MintMessage;
  readonly attempts: number;
  readonly dueSlot: number;
  readonly isDead: boolean;
}

/**
 * Sells tickets in orders of 1 to 10 and mints them through a storm: nodes go dark, lag, refuse and cut calls; transactions are lost
 * or late; the tree is full, belongs to somebody else, or the payer is empty for a while; Workers die between two steps; messages
 * are lost, doubled, reordered and end as dead letters, which an operator queues again. Then the weather clears.
 */
export async function playStorm(options: StormOptions): Promise<StormReport> {
  const d1 = new StormyD1(options.seed);
  const world = await openMintWorld(options.mode, {
    spareNodes: 1,
    reachD1: (work) => d1.reach(work),
    hasLookupTable: options.room !== "plain",
    minting: {
      transactionVersion: options.room === "version 1" ? 1 : 0,
      payerFloorLamports: 10_000_000,
      // Slots take no time here, so a breaker's pause must not either.
      breakers: new CircuitBreakers({ openForMs: 5 }),
    },
  });
  try {
    return await new Storm(world, d1, options).play();
  } finally {
    await world.close();
  }
}

class Storm {
  readonly #world: MintWorld;
  readonly #d1: StormyD1;
  readonly #ticketCount: number;
  readonly #random: Random;
  readonly #weather: MintWeather;
  readonly #troubles: Record<string, number> = {};
  readonly #startSlot: number;
  #messages: QueuedMessage[] = [];

  constructor(world: MintWorld, d1: StormyD1, { seed, ticketCount }: StormOptions) {
    this.#world = world;
    this.#d1 = d1;
    this.#ticketCount = ticketCount;
    this.#random = new Random(seed);
    this.#weather = new MintWeather(world, seed + 2, (trouble) => this.#count(trouble, 1));
    this.#startSlot = this.#slot;
  }

  async play(): Promise<StormReport> {
    const sold = await this.#sell();
    for (const { tenantId, ticketIds } of sold) {
      const within = this.#random.between(1, SELLING_SLOTS);
      this.#queue(
        ticketIds.map((ticketId) => ({ tenantId, ticketId })),
        within,
      );
    }
    let nextSpell = this.#slot;
    let nextOperator = this.#slot + OPERATOR_EVERY_SLOTS;
    while ((await this.#countOpen()) > 0) {
      const passed = this.#slot - this.#startSlot;
      if (passed > MOST_SLOTS) throw new Error(`not minted after ${MOST_SLOTS} slots`);
      if (this.#slot >= nextSpell) {
        if (passed < STORMY_SLOTS) this.#weather.change();
        else this.#weather.clear();
        nextSpell = this.#slot + SPELL_SLOTS;
      }
      if (this.#slot >= nextOperator) {
        await this.#operate(sold);
        nextOperator = this.#slot + OPERATOR_EVERY_SLOTS;
      }
      this.#d1.isStormy = passed < STORMY_SLOTS;
      await this.#deliverDue();
      this.#d1.isStormy = false;
      this.#passTime(Math.min(nextSpell, nextOperator));
    }
    this.#weather.clear();
    return this.#report(sold);
  }

  get #slot(): number {
    return this.#world.localnet.cluster.slotAt("processed");
  }

  get #nowMs(): number {
    return SOLD_AT_MS + (this.#slot - this.#startSlot) * SLOT_MS;
  }

  async #sell(): Promise<SoldTickets[]> {
    const sold: SoldTickets[] = [];
    for (let left = this.#ticketCount; left > 0; left -= sold.at(-1)?.ticketIds.length ?? left) {
      const ticketCount = Math.min(left, this.#random.between(1, 10));
      const of = sold.length < EVENTS ? undefined : sold[this.#random.between(0, EVENTS - 1)];
      const walletOf = (): string | null => (this.#random.chance(0.2) ? makeAddress(this.#random) : null);
      sold.push(await sellOrder(this.#world.db, { count: ticketCount, of, walletOf }));
    }
    return sold;
  }

  async #countOpen(): Promise<number> {
    const open = await this.#world.db.select({ id: mintJobs.ticketId }).from(mintJobs).where(ne(mintJobs.status, "MINTED"));
    return open.length;
  }

  /** New messages: some are lost, some come twice, and all in any order. */
  #queue(bodies: readonly MintMessage[], inSlots = 1): void {
    for (const body of bodies) {
      if (this.#isDue("message lost", 0.03)) continue;
      const copies = this.#isDue("message doubled", 0.1) ? 2 : 1;
      for (let copy = 0; copy < copies; copy += 1) {
        const dueSlot = this.#slot + inSlots + this.#random.between(0, 10);
        this.#messages.push({ body, attempts: 1, dueSlot, isDead: false });
      }
    }
  }

  /** Queues given-up mints again, and does what the cron does for lost messages. */
  async #operate(sold: readonly SoldTickets[]): Promise<void> {
    const { db } = this.#world;
    const mintQueue = {
      sendBatch: (messages: Iterable<{ readonly body: MintMessage }>): Promise<void> => {
        this.#queue([...messages].map(({ body }) => body));
        return Promise.resolve();
      },
    };
    const ctx = { db, mintQueue, nowMs: this.#nowMs };
    await requeueStaleMints(ctx);
    const tenants = new Set(sold.map(({ tenantId }) => tenantId));
    for (const tenantId of tenants) {
      const isGivenUp = and(eq(mintJobs.tenantId, tenantId), eq(mintJobs.status, "FAILED"));
      const failed = await db.select({ ticketId: mintJobs.ticketId }).from(mintJobs).where(isGivenUp);
      if (failed.length === 0) continue;
      this.#count("given up, queued again", failed.length);
      await queueMint(ctx, tenantId, { ticketIds: failed.map(({ ticketId }) => ticketId) });
    }
  }

  /** Delivers what is due, in batches of any size and order, two of them at the same time. */
  async #deliverDue(): Promise<void> {
    const due = shuffle(
      this.#messages.filter(({ dueSlot }) => dueSlot <= this.#slot),
      this.#random,
    );
    this.#messages = this.#messages.filter(({ dueSlot }) => dueSlot > this.#slot);
    while (due.length > 0) {
      const batches = [1, 2].map(() => due.splice(0, this.#random.between(1, 40)));
      // Not all of them: the same tickets in one batch would be signed for with the same bytes.
      const isTwice = this.#isDue("delivered twice at once", 0.5);
      const again = batches.flat().filter(() => isTwice && this.#random.chance(0.7));
      await Promise.all([...batches.map((batch) => this.#deliver(batch)), this.#deliver(again, true)]);
    }
  }

  /** @param isCopy the queue has delivered these too, and minds the other answer. */
  async #deliver(batch: readonly QueuedMessage[], isCopy = false): Promise<void> {
    const living = batch.filter(({ isDead }) => !isDead);
    const dead = batch.filter(({ isDead }) => isDead);
    if (dead.length > 0) await consumeDeadLetters(this.#openContext(), this.#makeBatch(dead, isCopy));
    if (living.length > 0) await consumeMints(this.#openContext(), this.#makeBatch(living, isCopy));
  }

  #makeBatch(queued: readonly QueuedMessage[], isCopy: boolean): MessageBatch {
    const messages = queued.map(({ body, attempts, isDead }) => ({
      id: body.ticketId,
      timestamp: new Date(this.#nowMs),
      body,
      attempts,
      ack: () => undefined,
      retry: ({ delaySeconds = 1 }: { readonly delaySeconds?: number } = {}) => {
        if (isCopy) return;
        const isOver = isDead || attempts >= MOST_DELIVERIES;
        if (isOver && !isDead) this.#count("dead letter", 1);
        const dueSlot = this.#slot + Math.ceil((delaySeconds * 1_000) / SLOT_MS);
        this.#messages.push({ body, attempts: isOver ? 1 : attempts + 1, dueSlot, isDead: isOver });
      },
    }));
    return { queue: "mint", messages } as unknown as MessageBatch; // all that the consumers use of it
  }

  #openContext(): MintContext {
    const minter = this.#makeMortal(this.#world.minter);
    const { db, treeKeeper } = this.#world;
    return { db, treeKeeper, minter, publicBaseUrl: PUBLIC_BASE_URL, nowMs: this.#nowMs, logger: SILENT };
  }

  /** A Worker that may die before or after a step of its minter, as it sees it: what follows is not done. */
  #makeMortal(minter: Minter): Minter {
    const mortal = async <T>(work: () => Promise<T>): Promise<T> => {
      const isStormy = this.#slot - this.#startSlot < STORMY_SLOTS;
      if (isStormy && this.#isDue("died before a step", 0.03)) throw new Error("the isolate is gone");
      const value = await work();
      if (isStormy && this.#isDue("died after a step", 0.03)) throw new Error("the isolate is gone");
      return value;
    };
    return {
      ...minter,
      signMints: (batch) => mortal(() => minter.signMints(batch)),
      sendMints: (wireBase64) => mortal(() => minter.sendMints(wireBase64)),
      observe: (submitted) => mortal(() => minter.observe(submitted)),
      findMintedLeaves: (signature) => mortal(() => minter.findMintedLeaves(signature)),
    };
  }

  /** A slot or a few; straight on to the next thing that is due when nothing is until then. */
  #passTime(latestSlot: number): void {
    const nextDue = this.#messages.reduce((least, { dueSlot }) => Math.min(least, dueSlot), latestSlot);
    this.#world.localnet.cluster.tick(Math.max(this.#random.between(1, 3), Math.min(nextDue, latestSlot) - this.#slot));
  }

  #isDue(trouble: string, probability: number): boolean {
    const isDue = this.#random.chance(probability);
    if (isDue) this.#count(trouble, 1);
    return isDue;
  }

  #count(trouble: string, times: number): void {
    this.#troubles[trouble] = (this.#troubles[trouble] ?? 0) + times;
  }

  async #report(sold: readonly SoldTickets[]): Promise<StormReport> {
    const leafCounts: number[] = [];
    for (const eventId of new Set(sold.map((order) => order.eventId))) {
      const ofEvent = sold.filter((order) => order.eventId === eventId);
      const [first] = ofEvent;
      if (first === undefined) continue;
      const ticketIds = ofEvent.flatMap((order) => order.ticketIds);
      leafCounts.push(...(await this.#world.countLeaves({ ...first, ticketIds })));
    }
    const orderStatuses = await Promise.all(sold.map(({ orderId }) => this.#world.findOrderStatus(orderId)));
    const troubles = { ...this.#troubles, "D1 failed": this.#d1.failedCount };
    const together = await this.#world.db.select({ count: count() }).from(mintJobs).groupBy(mintJobs.signature);
    const mostTogether = Math.max(...together.map((transaction) => transaction.count));
    return { leafCounts, orderStatuses, troubles, mostTogether };
  }
}

function makeAddress(random: Random): string {
  return publicKey(Uint8Array.from({ length: 32 }, () => random.between(0, 255)));
}

function shuffle<Item>(items: readonly Item[], random: Random): Item[] {
  return items
    .map((item) => ({ item, place: random.next() }))
    .toSorted((one, other) => one.place - other.place)
    .map(({ item }) => item);
}
