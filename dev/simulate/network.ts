import type { Life } from "./event-loop.ts";
import type { Surroundings } from "./surroundings.ts";

/** How long a message takes as a rule, and when it is slow, ms. */
const QUICK_MS = 3;
const SLOW_MS = 8_000;
/** When a caller gives up on an answer that was lost, at least and at most. */
const PATIENCE_MS = [20, 5_000] as const;

/** Whoever sends: what it says may have to wait until it is allowed out. */
export interface Sender extends Life {
  /** True when whoever calls through it goes away after a while: none of its calls waits for ever. */
  readonly isLeftInTheEnd?: boolean;
  send(message: () => void): void;
}

/** Answers a message at its receiver, now or later. */
export type Receive<T> = (answer: (value: T) => void, fail: (reason: unknown) => void) => void;

/** One call: who makes it, to whom, and whether a second copy of it may arrive long after. */
export interface Letter {
  readonly from: Sender;
  readonly subject: string;
  readonly mayComeTwice: boolean;
  /** True when the client that carries it fails it after a while without an answer. */
  readonly hasTimeout?: boolean;
}

/** Messages between objects, D1, queue, provider and the Worker, with everything that may happen to them. */
export class Network {
  readonly #world: Surroundings;

  constructor(world: Surroundings) {
    this.#world = world;
  }

  /** Calls a receiver; rejects when the message or its answer is lost, or the receiver dies or refuses. */
  call<T>({ from, subject, mayComeTwice, hasTimeout = false }: Letter, receive: Receive<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      from.send(() => {
        this.#world.note(`${from.name} → ${subject}`);
        if (mayComeTwice && this.#world.isDue("duplicate")) this.#sendCopy(subject, receive);
        if (!hasTimeout && !from.isLeftInTheEnd && this.#world.isDue("neverAnswer")) this.#leaveUnanswered(subject, receive);
        else if (this.#world.isDue("loseRequest")) this.#lose(from, subject, "request", reject);
        else this.#deliver(from, subject, receive, resolve, reject);
      });
    });
  }

  #deliver<T>(
    from: Sender,
    subject: string,
    receive: Receive<T>,
    resolve: (value: T) => void,
    reject: (reason: unknown) => void,
  ): void {
    const { loop } = this.#world;
    const back = (settle: () => void): void => {
      if (this.#world.isDue("loseReply")) this.#lose(from, subject, "reply", reject);
      else loop.after(this.#delayMs(), from, settle);
    };
    loop.after(this.#delayMs(), undefined, () =>
      receive(
        (value) => back(() => resolve(value)),
        (reason) => back(() => reject(reason)),
      ),
    );
  }

  /** The call may get there; whoever waits for its answer waits for ever, unless a limit is set. */
  #leaveUnanswered<T>(subject: string, receive: Receive<T>): void {
    const nobody = (): void => undefined;
    this.#world.note(`never answered: ${subject}`);
    if (this.#world.random.chance(0.5)) this.#world.loop.after(this.#delayMs(), undefined, () => receive(nobody, nobody));
  }

  #sendCopy<T>(subject: string, receive: Receive<T>): void {
    const nobody = (): void => undefined;
    this.#world.loop.after(this.#world.random.between(0, SLOW_MS), undefined, () => {
      this.#world.note(`again: ${subject}`);
      receive(nobody, nobody);
    });
  }

  #lose(from: Sender, subject: string, what: string, reject: (reason: unknown) => void): void {
    this.#world.note(`lost ${what}: ${subject}`);
    const [least, most] = PATIENCE_MS;
    this.#world.loop.after(this.#world.random.between(least, most), from, () => reject(new Error(`lost ${what}: ${subject}`)));
  }

  #delayMs(): number {
    const { random } = this.#world;
    return this.#world.isDue("slow") ? random.between(QUICK_MS, SLOW_MS) : random.between(0, QUICK_MS);
  }
}
