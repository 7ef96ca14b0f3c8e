/** Real Durable Object storage for tests of what the objects share, with the alarm under the test's control. */
import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";

/** What a test sees of the alarm: when it is set for, and every time it was set. */
export interface AlarmRecord {
  atMs: number | null;
  readonly settings: number[];
}

/** The real storage, but for the alarm, which is only noted down. */
export function withRecordedAlarm(storage: DurableObjectStorage): {
  readonly storage: DurableObjectStorage;
  readonly alarm: AlarmRecord;
} {
  const alarm: AlarmRecord = { atMs: null, settings: [] };
  const recorded: Pick<DurableObjectStorage, "sql" | "transactionSync" | "sync" | "setAlarm" | "getAlarm"> = {
    sql: storage.sql,
    transactionSync: (closure) => storage.transactionSync(closure),
    sync: () => storage.sync(),
    setAlarm: async (time) => {
      alarm.atMs = Number(time);
      alarm.settings.push(Number(time));
    },
    getAlarm: async () => alarm.atMs,
  };
  return { storage: recorded as DurableObjectStorage, alarm }; // the rest is not used by what is tested
}

/** Runs `body` inside a new Durable Object with its own empty SQLite storage. */
export async function inFreshStorage<T>(body: (storage: DurableObjectStorage) => Promise<T>): Promise<T> {
  const stub = env.TICKET_TYPE_INVENTORY.getByName(crypto.randomUUID());
  return runInDurableObject(stub, (_, state) => body(state.storage));
}
