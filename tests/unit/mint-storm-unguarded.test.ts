import { expect, it, vi } from "vitest";
import type * as MintJobs from "#storage/mint-jobs";
import { playStorm } from "../support/node/mint-storm.ts";

vi.mock("#storage/mint-jobs", async (importOriginal) => {
  const { storeBlindly } = await import("../support/node/store-blindly.ts");
  return { ...(await importOriginal<typeof MintJobs>()), storeSignedMints: storeBlindly };
});

it("the storm would find tickets with two leaves if signatures were stored without the compare-and-swap", async () => {
  const { leafCounts } = await playStorm({ mode: "emulator", seed: 5, ticketCount: 60 });
  expect(Math.max(...leafCounts)).toBeGreaterThan(1);
});
