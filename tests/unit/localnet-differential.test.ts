import { createTreeV2, findTreeConfigPda, mintV2, setTreeDelegate } from "@metaplex-foundation/mpl-bubblegum";
import { createCollection } from "@metaplex-foundation/mpl-core";
import {
  generateSigner,
  lamports,
  none,
  some,
  transactionBuilder,
  type AddressLookupTableInput,
  type KeypairSigner,
  type PublicKey,
  type TransactionBuilder,
} from "@metaplex-foundation/umi";
import { beforeAll, describe, expect, it } from "vitest";
import { buildCreateCollection } from "#chain/event-collection";
import { listTableAddresses } from "#chain/lookup-table";
import { HAS_PROGRAMS } from "../support/node/chain-modes.ts";
import { TwinChains } from "../support/node/twin-chains.ts";

/** Of a transaction of version 1, which pays a sum for its place in a block. */
const BUDGET = { computeUnitLimit: 1_100_000, priorityFee: lamports(4_321) };

it.skipIf(HAS_PROGRAMS)("NOT COMPARED with the real programs: npm run chain:programs downloads them", ({ skip }) => {
  skip();
});

describe.skipIf(!HAS_PROGRAMS)("the emulator against the real programs", { timeout: 300_000 }, () => {
  let chains: TwinChains;
  let collection: KeypairSigner;

  beforeAll(async () => {
    chains = await TwinChains.open();
    collection = generateSigner(chains.umi);
    expect(
      await chains.run(buildCreateCollection(chains.umi, collection, { name: "Event", uri: "https://t.example/c" }), [
        collection.publicKey,
      ]),
    ).toBeNull();
  });

  async function makeTree(
    maxDepth: number,
    maxBufferSize: number,
    canopyDepth: number,
  ): Promise<{ tree: KeypairSigner; watched: PublicKey[] }> {
    const tree = generateSigner(chains.umi);
    const [config] = findTreeConfigPda(chains.umi, { merkleTree: tree.publicKey });
    const watched = [tree.publicKey, config, collection.publicKey];
    const work = await createTreeV2(chains.umi, { merkleTree: tree, maxDepth, maxBufferSize, canopyDepth });
    expect(await chains.run(work, watched)).toBeNull();
    return { tree, watched };
  }

  const metadata = (number: number, change: Partial<Parameters<typeof mintV2>[1]["metadata"]> = {}) => ({
    name: `Ticket ${number}`,
    uri: `https://t.example/nft/${number}`,
    sellerFeeBasisPoints: 0,
    creators: [],
    collection: some(collection.publicKey),
    ...change,
  });

  it("makes the same collections, whatever their names and plugins", async () => {
    const { umi } = chains;
    for (const [name, uri] of [
      ["", ""],
      ["Fête des Lumières · 東京", "https://t.example/é"],
      ["x".repeat(200), "y".repeat(300)],
    ] as const) {
      const made = generateSigner(umi);
      expect(await chains.run(buildCreateCollection(umi, made, { name, uri }), [made.publicKey])).toBeNull();
      expect(await chains.run(buildCreateCollection(umi, made, { name, uri }), [made.publicKey])).not.toBeNull();
    }
    const bare = generateSigner(umi);
    expect(await chains.run(createCollection(umi, { collection: bare, name: "Bare", uri: "u" }), [bare.publicKey])).toBeNull();
    const others = generateSigner(umi);
    const authority = generateSigner(umi).publicKey;
    await chains.run(
      createCollection(umi, {
        collection: others,
        name: "Others",
        uri: "u",
        updateAuthority: authority,
        plugins: [{ type: "BubblegumV2" }],
      }),
      [others.publicKey],
    );
  });

  it.each([
    [3, 8, 0],
    [5, 8, 2],
    [14, 64, 8],
  ])(
    "leaves the same tree, config, collection, events and lamports after each mint: depth %i, buffer %i, canopy %i",
    async (depth, buffer, canopy) => {
      const { tree, watched } = await makeTree(depth, buffer, canopy);
      const count = Math.min(2 ** depth, 70) + 1;
      for (let number = 0; number < count; number += 1) {
        const owner = generateSigner(chains.umi).publicKey;
        const leafDelegate = number % 3 === 0 ? { leafDelegate: generateSigner(chains.umi).publicKey } : {};
        const error = await chains.run(
          mintV2(chains.umi, {
            merkleTree: tree.publicKey,
            coreCollection: collection.publicKey,
            leafOwner: owner,
            ...leafDelegate,
            metadata: metadata(number, { sellerFeeBasisPoints: (number * 97) % 10_000 }),
          }),
          watched,
        );
        const isFull = number >= 2 ** depth;
        expect(error === null).toBe(!isFull);
      }
    },
  );

  it.each([
    [
      "five with a lookup table",
      5,
      (work: TransactionBuilder, table: () => AddressLookupTableInput) => work.setAddressLookupTables([table()]),
    ],
    ["ten in version 1", 10, (work: TransactionBuilder) => work.useV1().setTransactionConfig(BUDGET)],
  ] as const)("leaves the same after a transaction of mints: %s", async (_, size, shape) => {
    const { umi } = chains;
    const { tree, watched } = await makeTree(5, 8, 0);
    const table = () => chains.placeTable(listTableAddresses(umi, tree.publicKey));
    const mints = (from: number) =>
      Array.from({ length: size }, (__, place) => {
        const leafOwner = generateSigner(umi).publicKey;
        const target = { merkleTree: tree.publicKey, coreCollection: collection.publicKey, leafOwner };
        return mintV2(umi, { ...target, metadata: metadata(from + place, { uri: `u${place}` }) });
      });
    const work = (from: number) => shape(transactionBuilder(mints(from).flatMap(({ items }) => items)), table);
    expect(await chains.run(work(0), watched)).toBeNull();
    expect(await chains.run(work(size), watched)).toBeNull();
    // The tree has 32 leaves: the last of these fails, and takes the others with it.
    if (size === 10) {
      expect(await chains.run(work(2 * size), watched)).toBeNull();
      expect(await chains.run(work(3 * size), watched)).not.toBeNull();
    }
  });

  it("names the same delegates, and lets the same ones mint", async () => {
    const { umi } = chains;
    const { tree, watched } = await makeTree(5, 8, 0);
    const [minter, stranger] = [generateSigner(umi), generateSigner(umi)];
    const [treeConfig] = findTreeConfigPda(umi, { merkleTree: tree.publicKey });
    const delegated = generateSigner(umi);
    const isFrozen = true;
    const work = buildCreateCollection(umi, delegated, { name: "E", uri: "u", isFrozen, minterAddress: minter.publicKey });
    expect(await chains.run(work, [delegated.publicKey])).toBeNull();
    const all = [...watched, delegated.publicKey];
    const appoint = (treeCreator: typeof umi.identity, newTreeDelegate = minter.publicKey) =>
      chains.run(setTreeDelegate(umi, { treeConfig, treeCreator, newTreeDelegate, merkleTree: tree.publicKey }), all);
    const mintAs = (by: KeypairSigner, number: number) =>
      chains.run(
        mintV2(umi, {
          merkleTree: tree.publicKey,
          coreCollection: delegated.publicKey,
          treeCreatorOrDelegate: by,
          collectionAuthority: by,
          leafOwner: stranger.publicKey,
          metadata: metadata(number, { collection: some(delegated.publicKey) }),
        }),
        all,
      );
    expect(await mintAs(minter, 1)).not.toBeNull();
    expect(await appoint(stranger)).not.toBeNull();
    expect(await appoint(umi.identity)).toBeNull();
    expect(await mintAs(minter, 2)).toBeNull();
    expect(await mintAs(stranger, 3)).not.toBeNull();
    expect(await appoint(umi.identity, stranger.publicKey)).toBeNull();
    // The tree's delegate is not the collection's.
    expect(await mintAs(stranger, 4)).not.toBeNull();
    expect(await mintAs(minter, 5)).not.toBeNull();
  });

  it("refuses the same mints with the same error", async () => {
    const { umi } = chains;
    const { tree, watched } = await makeTree(5, 8, 0);
    const base = { merkleTree: tree.publicKey, coreCollection: collection.publicKey, leafOwner: chains.wallet };
    const stranger = generateSigner(umi);
    chains.fund(stranger.publicKey);
    const foreign = generateSigner(umi);
    const foreignWork = buildCreateCollection(umi, foreign, { name: "Foreign", uri: "u" });
    await chains.run(foreignWork, [foreign.publicKey]);
    const errors = [
      await chains.run(mintV2(umi, { ...base, metadata: metadata(1, { sellerFeeBasisPoints: 10_001 }) }), watched),
      await chains.run(mintV2(umi, { ...base, metadata: metadata(2, { name: "n".repeat(33) }) }), watched),
      await chains.run(mintV2(umi, { ...base, metadata: metadata(3, { uri: "u".repeat(201) }) }), watched),
      await chains.run(mintV2(umi, { ...base, metadata: metadata(4, { collection: some(foreign.publicKey) }) }), watched),
      await chains.run(mintV2(umi, { ...base, metadata: metadata(5, { collection: none() }) }), watched),
      await chains.run(mintV2(umi, { ...base, treeCreatorOrDelegate: stranger, metadata: metadata(6) }), watched),
      await chains.run(mintV2(umi, { ...base, collectionAuthority: stranger, metadata: metadata(7) }), watched),
      await chains.run(
        mintV2(umi, {
          ...base,
          coreCollection: stranger.publicKey,
          metadata: metadata(8, { collection: some(stranger.publicKey) }),
        }),
        watched,
      ),
    ];
    expect(errors.filter((error) => error === null)).toEqual([]);
    expect(await chains.run(mintV2(umi, { ...base, metadata: metadata(9) }), watched)).toBeNull();
    const { coreCollection: _left, ...withoutCollection } = base;
    expect(
      await chains.run(mintV2(umi, { ...withoutCollection, metadata: metadata(10, { collection: none() }) }), watched),
    ).toBeNull();
  });
});
