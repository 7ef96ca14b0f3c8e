import type { Emit } from "../outbox.ts";

/** Decides and writes inside the next commit; resolves with what was decided once it is durable. `decide` must not await. */
export type Commit = <T>(decide: (nowMs: number, emit: Emit) => T) => Promise<T>;
