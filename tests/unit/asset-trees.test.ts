import { eq } from "drizzle-orm";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { importWalletSigner } from "#chain/wallet-signer";
import { openOwner } from "#dev/chain-setup/owner";
import { provisionTree } from "#dev/chain-setup/provision-accounts";
import { readTree } from "#dev/localnet/tree-reader";
import { generateSolanaAddress, generateSolanaWallet } from "#dev/secrets";
import { capacityOf } from "#domain/tree-shape";
import { ticketTypes } from "#storage/schema";
import { insertTenantTree } from "#storage/tenant-trees";
import { openAssetWorld, type AssetWorld } from "../support/node/asset-world.ts";
import { CHAIN_MODES } from "../support/node/chain-modes.ts";
import type { SoldTickets } from "../support/sold-tickets.ts";

const SHAPE = { depth: 5, bufferSize: 8, canopyDepth: 0 };
/** The tree that the service is configured with: nothing of these tenants is in it. */
const NO_TREE = "11111111111111111111111111111111";

describe.each(CHAIN_MODES)("assets in a tenant's own tree on a chain that runs the %s", { timeout: 120_000 }, (mode) => {
  let world: AssetWorld;

  beforeAll(async () => {
    world = await openAssetWorld(mode);
  });
  afterAll(() => world.close());

  /** Sells a ticket of a tenant that has a tree of its own, and mints it there. */
  async function mintIntoOwnTree(transferable: boolean): Promise<{ sold: SoldTickets; ticketId: string; ownTree: string }> {
    const sold = await world.sellTickets(1);
    const [ticketId = ""] = sold.ticketIds;
    const owner = openOwner(world.localnet.url, await importWalletSigner(generateSolanaWallet()));
    await owner.rpc.call("requestAirdrop", [owner.signer.publicKey, 100_000_000_000]);
    const made = { purpose: sold.tenantId, shape: SHAPE, minterAddress: world.minter.walletAddress };
    const { address } = await provisionTree(owner, made);
    const measures = { ...SHAPE, capacity: capacityOf(SHAPE), mintedCount: 0, requestId: null };
    await insertTenantTree(world.db, { address, tenantId: sold.tenantId, number: 1, ...measures, status: "OPEN" }, 1);
    await world.db.update(ticketTypes).set({ transferable }).where(eq(ticketTypes.eventId, sold.eventId));
    await world.drain(sold);
    return { sold, ticketId, ownTree: address };
  }

  it("follow their tickets, and are burnt with them", async () => {
    const { sold, ticketId, ownTree } = await mintIntoOwnTree(true);
    const walletAddress = generateSolanaAddress();
    await world.passOn(sold, ticketId, walletAddress);
    await world.drainAssets(sold, [ticketId], 1, { defaultTree: NO_TREE });
    expect(await world.findMove(ticketId)).toMatchObject({ status: "MOVED", attempts: 1 });
    expect((await readTree(world.localnet.url, ownTree)).leaves).toMatchObject([{ leaf: { owner: walletAddress } }]);
    await world.cancel(sold, ticketId);
    await world.drainAssets(sold, [ticketId], 1, { defaultTree: NO_TREE });
    expect(await world.findBurn(ticketId)).toMatchObject({ status: "BURNT", attempts: 1 });
    expect((await readTree(world.localnet.url, ownTree)).leaves).toEqual([]);
  });

  it("are burnt with tickets that are not transferable, whose collection is another", async () => {
    const { sold, ticketId, ownTree } = await mintIntoOwnTree(false);
    await world.cancel(sold, ticketId);
    await world.drainAssets(sold, [ticketId], 1, { defaultTree: NO_TREE });
    expect(await world.findBurn(ticketId)).toMatchObject({ status: "BURNT", attempts: 1 });
    expect((await readTree(world.localnet.url, ownTree)).leaves).toEqual([]);
  });
});
