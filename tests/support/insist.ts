import type { DeskWorld, TestDesk } from "./desk-world.ts";

/** Does it again on a desk opened anew until it survives, as a buyer's or a provider's retries do. */
export async function insist<T>(world: DeskWorld, work: (desk: TestDesk) => Promise<T>): Promise<T> {
  for (let attempt = 0; attempt < 20; attempt += 1) {
    const desk = world.openDesk();
    const answer = await world.untilDeath(() => work(desk).then((value) => ({ value })));
    if (answer) return answer.value;
  }
  throw new Error("the desk dies each time");
}
