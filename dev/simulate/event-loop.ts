import { Heap } from "./heap.ts";
import type { Random } from "./random.ts";

/** Whoever runs code here: an instance of an object until it dies, or the world outside, which does not. */
export interface Life {
  readonly name: string;
  readonly isAlive: boolean;
  /** Where its timers run. */
  readonly loop: EventLoop;
}

interface SimulatedEvent {
  readonly atMs: number;
  /** Drawn by lot: events of one millisecond happen in any order. */
  readonly lot: number;
  readonly seq: number;
  readonly owner: Life | undefined;
  readonly work: () => void;
}

/** A real macrotask: when it comes, every microtask of the event before it has run, however long their chain. */
const afterMicrotasks = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/**
 * Time and order of a simulated world. One event happens at a time, with all its microtasks; the clock jumps to the next. There
 * are no real timers, so nothing is left to the machine it runs on.
 */
export class EventLoop {
  /** A timer that code sets for longer than this never comes. */
  readonly longestTimerMs: number;
  #nowMs: number;
  #seq = 0;
  readonly #random: Random;
  readonly #events = new Heap<SimulatedEvent>((one, other) =>
    one.atMs === other.atMs ? one.lot < other.lot || (one.lot === other.lot && one.seq < other.seq) : one.atMs < other.atMs,
  );

  constructor(random: Random, startMs: number, longestTimerMs = Number.POSITIVE_INFINITY) {
    this.longestTimerMs = longestTimerMs;
    this.#random = random;
    this.#nowMs = startMs;
  }

  /** Simulated Unix milliseconds. */
  get nowMs(): number {
    return this.#nowMs;
  }

  /** Lets `work` happen in `delayMs`, unless its owner has died by then. */
  after(delayMs: number, owner: Life | undefined, work: () => void): void {
    this.#seq += 1;
    const atMs = this.#nowMs + Math.max(0, Math.floor(delayMs));
    this.#events.push({ atMs, lot: this.#random.next(), seq: this.#seq, owner, work });
  }

  /** Runs events until `isOver` says so, asked after each, or until there is none. */
  async run(isOver: (owner: Life | undefined) => boolean): Promise<void> {
    for (let event = this.#events.pop(); event !== undefined; event = this.#events.pop()) {
      this.#nowMs = event.atMs;
      if (event.owner?.isAlive === false) continue;
      event.work();
      await afterMicrotasks();
      if (isOver(event.owner)) return;
    }
  }
}
