/**
 * The types of the Worker's platform that the Durable Objects name, taken from its own declarations one by one: loaded whole
 * they disagree with Node's.
 */
import type * as workers from "@cloudflare/workers-types";

declare global {
  type D1Database = workers.D1Database;
  type DurableObjectState = workers.DurableObjectState;
  type DurableObjectStorage = workers.DurableObjectStorage;
  type MessageBatch = workers.MessageBatch;
  type SqlStorage = workers.SqlStorage;
  type SqlStorageValue = workers.SqlStorageValue;
  const scheduler: { wait(ms: number): Promise<void> };
}
