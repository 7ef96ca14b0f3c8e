import { fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { LoadOutcome, LoadPlan } from "./load-plan.ts";

/**
 * Runs one load in a process of its own, so that client and server each have a core.
 * @throws when the server closes a connection or the client dies. Wrong answers are counted, not thrown.
 */
export async function runLoad(plan: LoadPlan): Promise<LoadOutcome> {
  const client = fork(fileURLToPath(new URL("./load-client.ts", import.meta.url)), { serialization: "advanced" });
  try {
    return await new Promise<LoadOutcome>((resolve, reject) => {
      client.once("error", reject);
      client.once("exit", (code) => reject(new Error(`the load client ended with code ${code}`)));
      client.once("message", (message: { outcome: LoadOutcome } | { failure: string }) => {
        if ("outcome" in message) resolve(message.outcome);
        else reject(new Error(message.failure));
      });
      client.send(plan);
    });
  } finally {
    client.removeAllListeners("exit");
    client.kill();
  }
}
