import type { OutboxMessage } from "../outbox.ts";

/** Stores a message with the change it tells of. */
export type Emit = (message: OutboxMessage) => void;

/** Decides and writes inside the next commit; resolves with what was decided once it is durable. `decide` must not await. */
export type Commit = <T>(decide: (nowMs: number, emit: Emit) => T) => Promise<T>;
