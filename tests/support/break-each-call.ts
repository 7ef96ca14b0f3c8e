import { inDeskWorld, type DeskWorld, type Fault } from "./desk-world.ts";

/**
 * Plays the story in a new world for each call that a desk makes in it, with that call broken, until there is none left.
 * @param play is told which call is broken, for its messages.
 * @returns how many calls there were.
 */
export async function breakEachCall(
  fault: Exclude<Fault, "ok" | "hangs">,
  play: (world: DeskWorld, what: () => string) => Promise<void>,
): Promise<number> {
  for (let broken = 0; ; broken += 1) {
    let reached = false;
    await inDeskWorld(async (world) => {
      world.fault = (_, position) => {
        if (position !== broken) return "ok";
        reached = true;
        return fault;
      };
      await play(world, () => `${fault} at call ${broken} (${world.calls[broken]})`);
    });
    if (!reached) return broken;
  }
}
