import { expect, it } from "vitest";
import { advanceOpening } from "#services/trees/advance-opening";
import { requestNextTree } from "#services/trees/choose-tree";
import { listTenantTrees } from "#storage/tenant-trees";
import { GOOD_LOOKUP_TABLE, NOW_MS, db, makeMintBench, messagesOf } from "../support/mint-bench.ts";
import { sellTickets } from "../support/sold-tickets.ts";

const SHAPE = { depth: 5, bufferSize: 8, canopyDepth: 0 };

it("a tree of the service's own gets a lookup table after it is in use, which its mints use from then on, and which nobody waits for", async () => {
  const bench = makeMintBench();
  const { treeKeeper, minter } = bench;
  const sold = await sellTickets(db, 2);
  const [one, other] = messagesOf(sold);
  await requestNextTree({ db, treeKeeper, nowMs: NOW_MS }, sold.tenantId, { number: 0, shape: SHAPE });
  const advance = () => advanceOpening({ db, treeKeeper, nowMs: NOW_MS }, { address: `${sold.tenantId} tree 1` });
  treeKeeper.openedTable = null;
  expect(await advance()).toBe("later");
  await bench.consume([one]);
  treeKeeper.openedTable = "table";
  treeKeeper.lookupTable = { ...GOOD_LOOKUP_TABLE, isFrozen: false };
  expect(await advance()).toBe("later");
  expect(await listTenantTrees(db, sold.tenantId)).toMatchObject([{ status: "ACTIVE", lookupTableAddress: null }]);
  treeKeeper.lookupTable = GOOD_LOOKUP_TABLE;
  expect(await advance()).toBe("settled");
  treeKeeper.openedTable = "another table";
  expect(await advance()).toBe("settled");
  await bench.consume([other]);
  expect(minter.signedWith).toEqual([null, "table"]);
  expect(treeKeeper.opened).toHaveLength(1);
});

it("the tree of the configuration is minted into with the table of the configuration", async () => {
  const bench = makeMintBench();
  const { treeKeeper, minter } = bench;
  treeKeeper.defaultLookupTableAddress = "table of all";
  await bench.consume(messagesOf(await sellTickets(db, 1)));
  expect(minter.signedWith).toEqual(["table of all"]);
});
