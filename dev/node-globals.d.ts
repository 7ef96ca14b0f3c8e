/**
 * Global types of the Worker's platform that shared code names, taken from its own declarations one by one: loaded whole they
 * disagree with Node's on Buffer, URL and fetch.
 */
import type * as workers from "@cloudflare/workers-types";
import type { webcrypto } from "node:crypto";

declare global {
  interface CryptoKey extends webcrypto.CryptoKey {}

  type D1Database = workers.D1Database;
  type D1PreparedStatement = workers.D1PreparedStatement;
  type DurableObjectState = workers.DurableObjectState;
  type DurableObjectStorage = workers.DurableObjectStorage;
  type MessageBatch = workers.MessageBatch;
  type SqlStorage = workers.SqlStorage;
  type SqlStorageValue = workers.SqlStorageValue;
  const scheduler: { wait(ms: number, options?: { readonly signal?: AbortSignal }): Promise<void> };

  interface Queue<Body = unknown> {
    send(message: Body): Promise<unknown>;
    sendBatch(messages: Iterable<{ readonly body: Body }>): Promise<unknown>;
  }
}
