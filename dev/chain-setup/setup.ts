/**
 * `npm run chain:setup`: makes what a tenant's tickets are minted into, with the key of an owner who is not the minting wallet: a
 * tree sized for the expected tickets with its lookup table, and two collections for each event (one of them frozen, for tickets that are not
 * transferable). Prints what it costs first. Running it again goes on where it stopped.
 */
import { createInterface } from "node:readline/promises";
import { importWalletSigner } from "#chain/wallet-signer";
import { collectionPurpose } from "#chain/ensure-collection";
import { findLookupTable } from "#chain/lookup-table";
import { setupFeeLamports } from "#chain/send-setup";
import { treePurpose } from "#chain/umi-tree-keeper";
import { fitOnChainName } from "#domain/on-chain-name";
import { chooseTreeShape } from "#domain/tree-shape";
import { openOwner, type Owner } from "./owner.ts";
import { deriveAddress, provisionCollection, provisionLookupTable, provisionTree } from "./provision-accounts.ts";
import { findEvent, registerAccounts, type NamedEvent, type ReadyAccounts } from "./register-accounts.ts";
import { formatSetupCosts, listSetupCosts, toSol } from "./setup-costs.ts";
import { parseSetupOptions, SETUP_USAGE, UsageError, type SetupOptions } from "./setup-options.ts";

/** Both collections of an event, as they are made. */
function describeCollections({ eventId, name, uri }: NamedEvent) {
  const shown = { name: fitOnChainName(name), uri };
  return [
    { ...shown, what: "collection", purpose: collectionPurpose({ eventId }), isFrozen: false },
    { ...shown, what: "frozen collection", purpose: collectionPurpose({ eventId, isFrozen: true }), isFrozen: true },
  ] as const;
}

/** Says what it costs, and whether the owner can pay it. What is there already is not paid again. */
async function tellCosts(owner: Owner, options: SetupOptions, events: readonly NamedEvent[]): Promise<void> {
  const shape = chooseTreeShape(options.ticketCount);
  const isThere = async (purpose: string): Promise<boolean> => {
    const address = await deriveAddress(owner, purpose);
    const { value } = await owner.rpc.call<{ value: unknown }>("getAccountInfo", [address, { encoding: "base64" }]);
    return value !== null;
  };
  const lines = await listSetupCosts((bytes) => owner.rpc.call<number>("getMinimumBalanceForRentExemption", [bytes]), {
    shape,
    collections: events.flatMap(describeCollections),
    feeLamports: setupFeeLamports(2),
  });
  console.log(`owner ${owner.signer.publicKey}, minting wallet ${options.minterAddress}, ${options.rpcUrl}\n`);
  console.log(`${formatSetupCosts(lines, shape)}\n`);
  const purposes = [treePurpose(options), ...events.flatMap(describeCollections).map(({ purpose }) => purpose)];
  const there = await Promise.all(purposes.map(isThere));
  const treeAddress = await deriveAddress(owner, treePurpose(options));
  there.push((await findLookupTable(owner.umi, owner.rpc, treeAddress)) !== null);
  const { value: balance } = await owner.rpc.call<{ value: number }>("getBalance", [owner.signer.publicKey]);
  const total = lines.reduce((sum, { lamports }) => sum + lamports, 0);
  const isFresh = !there.includes(true);
  if (!isFresh)
    console.log(`${there.filter(Boolean).length} of ${there.length} accounts are there already and cost nothing.\n`);
  if (isFresh && balance < total) {
    throw new Error(`the owner has ${toSol(balance)} SOL and needs ${toSol(total)}: send it ${toSol(total - balance)} more`);
  }
}

async function confirm(isYes: boolean): Promise<boolean> {
  if (isYes) return true;
  const asker = createInterface({ input: process.stdin, output: process.stdout });
  const answer = await asker.question("Make them? [y/N] ");
  asker.close();
  return /^y(es)?$/i.test(answer.trim());
}

async function makeAccounts(owner: Owner, options: SetupOptions, events: readonly NamedEvent[]): Promise<ReadyAccounts> {
  const { minterAddress } = options;
  const tell = (what: string, made: { readonly address: string; readonly isNew: boolean }): string => {
    console.log(`${made.isNew ? "made" : "found"}  ${what.padEnd(20)}${made.address}`);
    return made.address;
  };
  const shape = chooseTreeShape(options.ticketCount);
  const purpose = treePurpose(options);
  const treeAddress = tell(`tree ${options.number}`, await provisionTree(owner, { purpose, shape, minterAddress }));
  const collections: ReadyAccounts["collections"][number][] = [];
  for (const event of events) {
    const [open, frozen] = describeCollections(event);
    collections.push({
      eventId: event.eventId,
      collectionAddress: tell(open.what, await provisionCollection(owner, { ...open, minterAddress })),
      frozenCollectionAddress: tell(frozen.what, await provisionCollection(owner, { ...frozen, minterAddress })),
    });
  }
  const made = collections.flatMap((of) => [of.collectionAddress, of.frozenCollectionAddress]);
  const lookupTableAddress = tell("the lookup table", await provisionLookupTable(owner, treeAddress, made));
  return { treeAddress, lookupTableAddress, ticketCount: options.ticketCount, collections };
}

async function main(): Promise<void> {
  const options = await parseSetupOptions(process.argv.slice(2), process.env);
  const signer = await importWalletSigner(options.ownerSecretKey, "the owner's key");
  if (signer.publicKey === options.minterAddress) {
    throw new UsageError("the owner is the minting wallet: what it makes would belong to a key that is in use all day");
  }
  const owner = openOwner(options.rpcUrl, signer);
  const { serviceUrl } = options;
  const events = serviceUrl === null ? [] : await Promise.all(options.eventIds.map((id) => findEvent(serviceUrl, id)));
  await tellCosts(owner, options, events);
  if (!(await confirm(options.isYes))) return;
  await registerAccounts(options, await makeAccounts(owner, options, events));
}

try {
  await main();
} catch (error) {
  const isOptionError = error instanceof TypeError && "code" in error;
  console.error(error instanceof Error ? error.message : error);
  if (isOptionError || error instanceof UsageError) console.error(SETUP_USAGE);
  process.exitCode = 1;
}
