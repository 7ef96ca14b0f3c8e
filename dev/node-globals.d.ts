/**
 * Global types of the Worker's platform that shared code names. Its own declarations can't be loaded beside Node's: the two
 * disagree on Buffer, URL and fetch.
 */
import type { webcrypto } from "node:crypto";

declare global {
  interface CryptoKey extends webcrypto.CryptoKey {}

  interface D1Database {
    prepare(query: string): unknown;
  }

  interface Queue<Body = unknown> {
    send(message: Body): Promise<unknown>;
    sendBatch(messages: Iterable<{ readonly body: Body }>): Promise<unknown>;
  }
}
