import { listDurableObjectIds, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";

/** Objects closed before: closing again would load them again. */
const closed = new Set<string>();

/**
 * Stops the alarms of every Durable Object that tests have made, and drops what they had still to tell. An alarm that goes off
 * while the runtime is taken down can keep it from ending.
 */
export async function closeObjects(): Promise<void> {
  for (const namespace of [env.ORDER_DESK, env.TICKET_TYPE_INVENTORY, env.EVENT_GATE] as const) {
    const objects: DurableObjectNamespace = namespace;
    for (const id of await listDurableObjectIds(objects)) {
      if (closed.has(id.toString())) continue;
      closed.add(id.toString());
      await runInDurableObject(objects.get(id), (_, state) => {
        state.storage.sql.exec("DELETE FROM outbox");
        return state.storage.deleteAlarm();
      }).catch(() => undefined); // an object that a test has broken has no alarm that could succeed
    }
  }
}
