import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { encodeChangeEvent, encodeLeafEvent } from "#dev/localnet/leaf-encoding";
import { encodeBase58 } from "#dev/localnet/transaction-encoding";
import { generateSolanaAddress } from "#dev/secrets";
import { hashAssetLeaf, listTreeChanges } from "#chain/leaf-events";
import { readTransaction, type CallsOfInstruction, type TransactionAnswer } from "#chain/read-transaction";
import { createRpcClient } from "#chain/rpc-client";
import { climb, emptyNode } from "#domain/merkle-tree";
import { openAssetWorld, type AssetWorld } from "../support/node/asset-world.ts";

const NOOP = "mnoopTCrg4p8ry25e4bcWA9XZjbNjMTfgYVGGEdRsf3";
const STRANGER = generateSolanaAddress();

type Call = Pick<CallsOfInstruction["instructions"][number], "stackHeight"> & {
  readonly program: string;
  readonly data: string;
};

function present<Value>(value: Value | null | undefined): Value {
  if (value === null || value === undefined) throw new Error("there is none");
  return value;
}

/** A transaction with one more instruction, of the stranger's program, that made these calls. */
function addInstruction(answer: TransactionAnswer, calls: readonly Call[]): TransactionAnswer {
  const { accountKeys, instructions } = answer.transaction.message;
  const { writable, readonly } = answer.meta.loadedAddresses ?? { writable: [], readonly: [] };
  const keys = [...accountKeys, ...writable, ...readonly, STRANGER, ...calls.map(({ program }) => program)];
  const forged = {
    index: instructions.length,
    instructions: calls.map(({ program, ...call }) => ({ ...call, programIdIndex: keys.indexOf(program) })),
  };
  const called = [...instructions, { programIdIndex: keys.indexOf(STRANGER), data: "" }];
  return {
    ...answer,
    transaction: { message: { accountKeys: keys, instructions: called } },
    meta: {
      ...answer.meta,
      innerInstructions: [...(answer.meta.innerInstructions ?? []), forged],
      loadedAddresses: { writable: [], readonly: [] },
    },
  };
}

describe("what a stranger's program logs about a tree", { timeout: 120_000 }, () => {
  let world: AssetWorld;
  let minted: TransactionAnswer;
  let signature: string;

  beforeAll(async () => {
    world = await openAssetWorld("emulator");
    const { ticketId } = await world.mintOne();
    signature = present((await world.findJob(ticketId)).signature);
    minted = present(await readTransaction(createRpcClient(world.localnet.url), signature));
  });

  afterAll(async () => {
    await world.close();
  });

  /** The next change of the tree as Bubblegum would log it, had it given the minted leaf to the stranger. */
  function forgeLogs(): { readonly leaf: string; readonly change: string } {
    const [genuine] = listTreeChanges(minted, world.tree, signature);
    const { leaf, index, path, seq } = present(genuine);
    const stolen = { ...present(leaf), ownerAddress: STRANGER, delegateAddress: STRANGER };
    const siblings = path.map((_, level) => emptyNode(level));
    const climbed = climb(hashAssetLeaf(stolen), siblings, index);
    const { assetId, leafIndex, ownerAddress: owner, delegateAddress: delegate, ...hashes } = stolen;
    const event = encodeLeafEvent({ ...hashes, assetId, owner, delegate, nonce: BigInt(leafIndex) });
    const change = encodeChangeEvent(world.tree, path.length, BigInt(seq + 1), { index, ...climbed });
    return { leaf: encodeBase58(event), change: encodeBase58(change) };
  }

  it.each<[string, (leaf: string, change: string) => Call[]]>([
    [
      "calls noop itself",
      (leaf, change) => [
        { program: NOOP, data: leaf, stackHeight: 2 },
        { program: NOOP, data: change, stackHeight: 2 },
      ],
    ],
    [
      "has a second program of the stranger's call noop",
      (leaf, change) => [
        { program: STRANGER, data: "", stackHeight: 2 },
        { program: NOOP, data: leaf, stackHeight: 3 },
        { program: NOOP, data: change, stackHeight: 3 },
      ],
    ],
    [
      "calls noop after Bubblegum",
      (leaf, change) => [
        { program: "BGUMAp9Gq7iTEuizy4pqaxsTyUCBK68MDfK752saRPUY", data: "", stackHeight: 2 },
        { program: NOOP, data: leaf, stackHeight: 2 },
        { program: NOOP, data: change, stackHeight: 2 },
      ],
    ],
    [
      "calls noop with what is no log at all",
      () => [
        { program: NOOP, data: encodeBase58(Uint8Array.of(1, 0, 9)), stackHeight: 2 },
        { program: NOOP, data: encodeBase58(new Uint8Array()), stackHeight: 2 },
      ],
    ],
    [
      "calls noop, and the node does not say who called",
      (leaf, change) => [
        { program: NOOP, data: leaf, stackHeight: null },
        { program: NOOP, data: change, stackHeight: null },
      ],
    ],
  ])("moves no leaf when it %s", (_, call) => {
    const { leaf, change } = forgeLogs();
    const genuine = listTreeChanges(minted, world.tree, signature);
    expect(listTreeChanges(addInstruction(minted, call(leaf, change)), world.tree, signature)).toEqual(genuine);
  });

  it("is told from what Bubblegum logs when a stranger's program calls that", () => {
    const { leaf, change } = forgeLogs();
    const calls = [
      { program: "BGUMAp9Gq7iTEuizy4pqaxsTyUCBK68MDfK752saRPUY", data: "", stackHeight: 2 },
      { program: NOOP, data: leaf, stackHeight: 3 },
      { program: "mcmt6YrQEMKw8Mw43FmpRLmf7BqRnFMKmAcbxE3xkAW", data: "", stackHeight: 3 },
      { program: NOOP, data: change, stackHeight: 4 },
    ];
    const owners = listTreeChanges(addInstruction(minted, calls), world.tree, signature).map((each) => each.leaf?.ownerAddress);
    expect(owners).toEqual([world.chain.mover.walletAddress, STRANGER]);
  });
});
