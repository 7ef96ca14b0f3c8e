import { AsyncLocalStorage } from "node:async_hooks";
import type { EventLoop, Life } from "./event-loop.ts";

/** Who is running: kept over every `await`, so code of a simulated world is told from that of the test around it. */
const running = new AsyncLocalStorage<Life>();

let isInstalled = false;

/** Runs `work`, and all that it awaits, in the name of `life`: its clock and its timers are those of its world. */
export function runAs<T>(life: Life, work: () => T): T {
  return running.run(life, work);
}

/** A timer of a simulated world, as its owner sees it: the event loop passes over it once it was cleared, as if its owner had died. */
class SimulatedTimer implements Life {
  readonly name: string;
  readonly loop: EventLoop;
  isCleared = false;
  readonly #owner: Life;

  constructor(owner: Life) {
    this.name = owner.name;
    this.loop = owner.loop;
    this.#owner = owner;
  }

  get isAlive(): boolean {
    return !this.isCleared && this.#owner.isAlive;
  }
}

/**
 * Puts simulated time in the place of `Date.now`, `setTimeout`, `clearTimeout` and `scheduler.wait`, for code that runs in a simulated world and
 * for nobody else.
 */
export function installSimulatedTime(): void {
  if (isInstalled) return;
  isInstalled = true;
  const real = { now: Date.now, setTimeout: globalThis.setTimeout, clearTimeout: globalThis.clearTimeout };
  Date.now = () => running.getStore()?.loop.nowMs ?? real.now();
  const setSimulatedTimeout = (...[work, delayMs = 0, ...rest]: Parameters<typeof real.setTimeout>): unknown => {
    const life = running.getStore();
    if (!life) return real.setTimeout(work, delayMs, ...rest);
    const timer = new SimulatedTimer(life);
    if (delayMs <= life.loop.longestTimerMs) life.loop.after(delayMs, timer, () => runAs(life, work));
    return timer;
  };
  const clearSimulatedTimeout = (timer: Parameters<typeof real.clearTimeout>[0] | SimulatedTimer): void => {
    if (timer instanceof SimulatedTimer) timer.isCleared = true;
    else real.clearTimeout(timer);
  };
  const wait = (delayMs: number): Promise<void> => new Promise((resolve) => void setSimulatedTimeout(resolve, delayMs));
  Object.assign(globalThis, { setTimeout: setSimulatedTimeout, clearTimeout: clearSimulatedTimeout, scheduler: { wait } });
}
