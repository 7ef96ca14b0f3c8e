import type { EventLoop, Life } from "./event-loop.ts";
import type { ObjectDisk } from "./object-storage.ts";

/** A call that an instance is at work on. `lose` tells its caller that no answer will come. */
export interface CallUnderWay {
  readonly lose: (why: string) => void;
}

/**
 * One life of an object: from when it is loaded until it dies. What it sends waits until what it wrote is durable,
 * as behind the platform's output gate, so that nobody ever hears of what a crash undoes.
 */
export class Instance implements Life {
  readonly name: string;
  readonly loop: EventLoop;
  readonly underWay = new Set<CallUnderWay>();
  isAlive = true;
  isAlarmRunning = false;
  readonly #disk: ObjectDisk;
  #outgoing: (() => void)[] = [];

  constructor(name: string, loop: EventLoop, disk: ObjectDisk) {
    this.name = name;
    this.loop = loop;
    this.#disk = disk;
  }

  /** Sends something to the outside once everything written before it is durable; never, if the instance dies first. */
  send(message: () => void): void {
    if (!this.isAlive) return;
    if (this.#disk.isDirty) this.#outgoing.push(message);
    else message();
  }

  /** What was written is durable: lets out what waited for it. */
  letOut(): void {
    for (const message of this.#outgoing.splice(0)) message();
  }

  /** Nothing of it runs any more, and who waits for it hears so. */
  end(why: string): void {
    this.isAlive = false;
    this.#outgoing = [];
    for (const call of this.underWay) call.lose(why);
    this.underWay.clear();
  }
}
