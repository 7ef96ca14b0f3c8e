import { AsyncLocalStorage } from "node:async_hooks";
import type { Life } from "./event-loop.ts";

/** Who is running: kept over every `await`, so code of a simulated world is told from that of the test around it. */
const running = new AsyncLocalStorage<Life>();

let isInstalled = false;

/** Runs `work`, and all that it awaits, in the name of `life`: its clock and its timers are those of its world. */
export function runAs<T>(life: Life, work: () => T): T {
  return running.run(life, work);
}

/**
 * Puts simulated time in the place of `Date.now`, `setTimeout` and `scheduler.wait`, for code that runs in a simulated world and
 * for nobody else.
 */
export function installSimulatedTime(): void {
  if (isInstalled) return;
  isInstalled = true;
  const real = { now: Date.now, setTimeout: globalThis.setTimeout };
  Date.now = () => running.getStore()?.loop.nowMs ?? real.now();
  const setSimulatedTimeout = (...[work, delayMs = 0, ...rest]: Parameters<typeof real.setTimeout>): unknown => {
    const life = running.getStore();
    if (!life) return real.setTimeout(work, delayMs, ...rest);
    life.loop.after(delayMs, life, () => runAs(life, work));
    return undefined;
  };
  const wait = (delayMs: number): Promise<void> => new Promise((resolve) => void setSimulatedTimeout(resolve, delayMs));
  Object.assign(globalThis, { setTimeout: setSimulatedTimeout, scheduler: { wait } });
}
