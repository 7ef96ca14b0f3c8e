import { describe, expect, it } from "vitest";
import { CHAIN_MODES } from "../support/node/chain-modes.ts";
import { playStorm } from "../support/node/mint-storm.ts";

const TICKETS = 200;
const WEATHER = [
  "node dark",
  "node behind",
  "node pruned",
  "node back from a snapshot",
  "tree full",
  "wrong authority",
  "payer empty",
];
/** Another seed plays other troubles: `MINT_STORM_SEED=7 npx vitest run --project unit tests/unit/mint-storm.test.ts`. */
const seed = Number(process.env["MINT_STORM_SEED"] ?? 5);

// The limit is for a busy machine; nothing here is judged by its time.
describe.each(CHAIN_MODES)("tickets minted through a storm, on a chain that runs the %s", { timeout: 240_000 }, (mode) => {
  it.each([
    ["lookup table", TICKETS, 4],
    ["version 1", TICKETS, 6],
    ["plain", 60, 2],
  ] as const)(
    `have one leaf each, whatever fails meanwhile: %s, %i tickets (seed ${seed})`,
    async (room, ticketCount, together) => {
      const report = await playStorm({ mode, seed, ticketCount, room });
      expect(report.leafCounts).toEqual(Array.from({ length: ticketCount }, () => 1));
      expect(report.mostTogether).toBeGreaterThanOrEqual(together);
      expect(new Set(report.orderStatuses)).toEqual(new Set(["COMPLETED"]));
      expect(WEATHER.filter((trouble) => report.troubles[trouble] === undefined)).toEqual([]);
    },
  );
});
