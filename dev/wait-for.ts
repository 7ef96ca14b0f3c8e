import { setTimeout as sleep } from "node:timers/promises";

const PATIENCE_MS = 60_000;

/** Asks again and again until there is an answer. @throws naming `what` when patience ends. */
export async function waitFor<T>(what: string, ask: () => Promise<T | undefined>): Promise<T> {
  const givesUpAtMs = Date.now() + PATIENCE_MS;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    if (Date.now() > givesUpAtMs) throw new Error(`waited ${PATIENCE_MS / 1000} s in vain for ${what}`);
    await sleep(100);
  }
}
