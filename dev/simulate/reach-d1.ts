import type { ReachD1 } from "./d1-server.ts";
import type { Sender } from "./network.ts";
import type { Stage } from "./stage.ts";

/** D1, as an object or the Worker reaches it: a call may be late, fail on the way there or back, or find D1 away. */
export function reachD1({ network, outages, world }: Pick<Stage, "network" | "outages" | "world">, from: Sender): ReachD1 {
  return (work) =>
    network.call({ from, subject: "d1", mayComeTwice: false }, (answer, fail) => {
      if (outages.isDown("d1")) return fail(new Error("D1_ERROR: network connection lost"));
      try {
        answer(work());
      } catch (error) {
        const text = error instanceof Error ? error.message : String(error);
        world.require(/constraint failed/.test(text), () => `D1 does not understand: ${text}`);
        fail(new Error(`D1_ERROR: ${text}`));
      }
    });
}
