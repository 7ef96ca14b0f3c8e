import { env } from "cloudflare:workers";
import { keccak_256 } from "@noble/hashes/sha3";
import { bytesToHex } from "@noble/hashes/utils";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { z } from "zod";
import { hashAssetLeaf } from "#chain/leaf-events";
import type { TreeState } from "#chain/tree-account";
import { decodeBase58, encodeBase58 } from "#domain/base58";
import { climb, emptyNode, SparseTree } from "#domain/merkle-tree";
import type { AssetLeaf } from "#domain/tree-changes";
import { storeTreeChanges } from "#storage/tree-index";
import { db, makeAddress, mintTicket, type MintedTicket } from "../support/asset-bench.ts";
import { signIn } from "../support/contract-call.ts";
import { sellTickets } from "../support/sold-tickets.ts";

const DEPTH = 3;
const BUFFER = 8;
const CHANGE_BYTES = 40 + 32 * DEPTH;

/** A chain with these trees; null answers nothing. */
let chain: ReadonlyMap<string, TreeState> | null = new Map();
/** What a node's own index answers, by method; left out, it is down. */
let das: Readonly<Record<string, unknown>> = {};

beforeEach(() => {
  vi.spyOn(globalThis, "fetch").mockImplementation(async (input, init) => {
    const { method, params } = await new Request(input, init).json<{ method: string; params: readonly unknown[] }>();
    if (method in das) return Response.json({ jsonrpc: "2.0", id: 1, result: das[method] });
    const state = chain?.get(String(params[0]));
    if (chain === null || method !== "getAccountInfo") return new Response(null, { status: 503 });
    const value = state && { data: [toBase64(encodeAccount(state)), "base64"], space: 10_000 };
    return Response.json({ jsonrpc: "2.0", id: 1, result: { value: value ?? null } });
  });
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
  das = {};
});

/** The account's bytes up to its changes: see the table of the layout in src/chain/tree-account.ts. */
function encodeAccount({ seq, recent }: TreeState): Uint8Array {
  const bytes = new Uint8Array(80 + BUFFER * CHANGE_BYTES);
  const view = new DataView(bytes.buffer);
  bytes[0] = 1;
  view.setUint32(2, BUFFER, true);
  view.setUint32(6, DEPTH, true);
  view.setBigUint64(56, BigInt(seq), true);
  view.setBigUint64(64, BigInt(recent.length - 1), true);
  view.setBigUint64(72, BigInt(recent.length), true);
  for (const [at, change] of recent.entries()) {
    const offset = 80 + at * CHANGE_BYTES;
    bytes.set(change.root, offset);
    for (const [level, node] of change.path.entries()) bytes.set(node, offset + 32 * (level + 1));
    view.setUint32(offset + 32 * (DEPTH + 1), change.index, true);
  }
  return bytes;
}

function toBase64(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes));
}

const proofShape = z.object({
  assetId: z.string(),
  treeAddress: z.string(),
  ownerAddress: z.string(),
  leafIndex: z.int(),
  leafHash: z.string(),
  root: z.string(),
  seq: z.int(),
  proof: z.array(z.string()),
});

/** What anyone can do who knows Keccak-256: nothing of the service's code is used. */
function climbByHand(leafIndex: number, leafHash: string, proof: readonly string[]): string {
  const hex = (text: string): string => {
    const bytes = decodeBase58(text);
    return bytes.ok ? [...bytes.value].map((byte) => byte.toString(16).padStart(2, "0")).join("") : "";
  };
  let node = hex(leafHash);
  for (const [level, sibling] of proof.entries()) {
    const pair = (leafIndex >> level) % 2 === 0 ? node + hex(sibling) : hex(sibling) + node;
    const bytes = Uint8Array.from(pair.match(/../g) ?? [], (byte) => Number.parseInt(byte, 16));
    node = [...keccak_256(bytes)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  }
  return node;
}

/** The tree's account after the asset has gone to another wallet, which D1 has not heard of. */
function moveLeaf({ assetId, state }: MintedTicket, ownerAddress: string): { leaf: AssetLeaf; state: TreeState } {
  const hash = emptyNode(0);
  const hashes = { dataHash: hash, creatorHash: hash, collectionHash: hash, assetDataHash: hash };
  const leaf = { assetId, leafIndex: 0, ownerAddress, delegateAddress: ownerAddress, ...hashes, flags: 0 };
  const { path, root } = climb(hashAssetLeaf(leaf), new SparseTree(DEPTH).prove(0), 0);
  return { leaf, state: { seq: 2, root, recent: [...state.recent, { seq: 2, index: 0, path, root }] } };
}

/** What an index says of the only leaf of a tree. */
function tellOf(tree: string, leaf: AssetLeaf): Readonly<Record<string, unknown>> {
  const [data_hash, creator_hash] = [encodeBase58(leaf.dataHash), encodeBase58(leaf.creatorHash)];
  const [collection_hash, asset_data_hash] = [encodeBase58(leaf.collectionHash), encodeBase58(leaf.assetDataHash)];
  const hashes = { data_hash, creator_hash, collection_hash, asset_data_hash };
  const proof = new SparseTree(DEPTH).prove(leaf.leafIndex).map((node) => encodeBase58(node));
  return {
    getAsset: {
      compression: { ...hashes, flags: leaf.flags, leaf_id: leaf.leafIndex, tree },
      ownership: { owner: leaf.ownerAddress, delegate: null },
    },
    getAssetProof: { tree_id: tree, proof, node_index: 2 ** DEPTH + leaf.leafIndex },
  };
}

async function ask({ sold, ticketId }: Pick<MintedTicket, "sold" | "ticketId">, role: "user" | "admin" = "user") {
  const caller = await signIn(role, sold.tenantId, role === "user" ? sold.userId : crypto.randomUUID());
  return caller.call("GET", `/mint/${ticketId}/proof`);
}

describe("the proof of a ticket's asset", () => {
  it("leads by Keccak-256 alone from the leaf to the root that the tree's account has", async () => {
    const owner = makeAddress();
    const minted = await mintTicket(owner);
    chain = new Map([[minted.tree, minted.state]]);
    for (const role of ["user", "admin"] as const) {
      const answer = await ask(minted, role);
      expect(answer.status).toBe(200);
      const body = proofShape.parse(answer.body);
      expect(body).toMatchObject({
        assetId: minted.assetId,
        treeAddress: minted.tree,
        ownerAddress: owner,
        leafIndex: 0,
        seq: 1,
      });
      expect(climbByHand(body.leafIndex, body.leafHash, body.proof)).toBe(bytesToHex(minted.state.root));
      expect(body.proof).toHaveLength(DEPTH);
    }
  });

  it("takes one call to the chain in a second for all who ask of a tree, because minting lives on the same quota", async () => {
    const minted = await mintTicket(makeAddress());
    chain = new Map([[minted.tree, minted.state]]);
    vi.useFakeTimers({ toFake: ["Date"] });
    for (let asked = 0; asked < 5; asked += 1) expect((await ask(minted)).status).toBe(200);
    expect(vi.mocked(fetch)).toHaveBeenCalledTimes(1);
    vi.advanceTimersByTime(1_001);
    expect((await ask(minted)).status).toBe(200);
    expect(vi.mocked(fetch)).toHaveBeenCalledTimes(2);
    // What is known of the tree is newer than what was read of its account: then it is read at once.
    const owner = makeAddress();
    const { leaf, state } = moveLeaf(minted, owner);
    chain = new Map([[minted.tree, state]]);
    const tree = { address: minted.tree, depth: DEPTH, bufferSize: BUFFER, canopyDepth: 0, seq: 1, slot: 1 };
    const { path, root } = climb(hashAssetLeaf(leaf), new SparseTree(DEPTH).prove(0), 0);
    await storeTreeChanges(env.DB, tree, [{ seq: 2, slot: 2, signature: "move", index: 0, path, root, leaf }], [], 1);
    expect(await ask(minted)).toMatchObject({ status: 200, body: { ownerAddress: owner, seq: 2 } });
  });

  it("stands beside the asset's owner, tree and root in what is told of the mint", async () => {
    const owner = makeAddress();
    const { sold, ticketId, tree, state, assetId } = await mintTicket(owner);
    const caller = await signIn("user", sold.tenantId, sold.userId);
    const { body } = await caller.call("GET", `/mint/${ticketId}`);
    expect(body).toMatchObject({ assetId, treeAddress: tree, ownerAddress: owner, root: encodeBase58(state.root) });
    expect(body["explorerUrl"]).toBe(
      `https://explorer.solana.com/tx/${String(body["signature"])}?cluster=custom&customUrl=http%3A%2F%2Fsolana.test`,
    );
    const unminted = await sellTickets(db, 1);
    const other = await signIn("user", unminted.tenantId, unminted.userId);
    const told = await other.call("GET", `/mint/${unminted.ticketIds[0]}`);
    expect(told.body).toMatchObject({ treeAddress: null, ownerAddress: null, root: null, explorerUrl: null });
  });

  it("is shown to nobody but the ticket's owner and the tenant's staff", async () => {
    const minted = await mintTicket(makeAddress());
    chain = new Map([[minted.tree, minted.state]]);
    const stranger = { ...minted, sold: { ...minted.sold, userId: crypto.randomUUID() } };
    expect(await ask(stranger)).toMatchObject({ status: 404, body: { code: "not_found" } });
    const foreign = { ...minted, sold: { ...minted.sold, tenantId: crypto.randomUUID() } };
    expect(await ask(foreign, "admin")).toMatchObject({ status: 404, body: { code: "not_found" } });
  });

  it("is refused for a ticket that is not minted, or whose asset is burnt", async () => {
    const sold = await sellTickets(db, 1);
    const unminted = { sold, ticketId: sold.ticketIds[0] ?? "" };
    expect(await ask(unminted)).toMatchObject({ status: 409, body: { code: "ticket_not_minted" } });
    const minted = await mintTicket(makeAddress());
    chain = new Map([[minted.tree, minted.state]]);
    const tree = { address: minted.tree, depth: DEPTH, bufferSize: BUFFER, canopyDepth: 0, seq: 1, slot: 1 };
    const { path, root } = minted.state.recent[0] ?? { path: [], root: new Uint8Array(32) };
    const burn = { seq: 2, slot: 2, signature: "burn", index: 0, path, root, leaf: null };
    await storeTreeChanges(env.DB, tree, [burn], [], 1);
    expect(await ask(minted)).toMatchObject({ status: 409, body: { code: "ticket_not_minted" } });
  });

  it("is made of what a node's own index says while ours is behind, if that leads to the root of the tree's account", async () => {
    const minted = await mintTicket(makeAddress());
    const buyer = makeAddress();
    const { leaf, state } = moveLeaf(minted, buyer);
    chain = new Map([[minted.tree, state]]);
    expect(await ask(minted)).toMatchObject({ status: 503, body: { code: "proof_not_ready" } });
    das = tellOf(minted.tree, leaf);
    const answer = await ask(minted);
    expect(answer.status).toBe(200);
    const body = proofShape.parse(answer.body);
    expect(body).toMatchObject({ treeAddress: minted.tree, ownerAddress: buyer, seq: 2, root: encodeBase58(state.root) });
    expect(climbByHand(body.leafIndex, body.leafHash, body.proof)).toBe(bytesToHex(state.root));
    das = tellOf(minted.tree, { ...leaf, ownerAddress: makeAddress() });
    expect(await ask(minted)).toMatchObject({ status: 503, body: { code: "proof_not_ready" } });
    das = tellOf(makeAddress(), leaf);
    expect(await ask(minted)).toMatchObject({ status: 503, body: { code: "proof_not_ready" } });
  });

  it("is not given while the chain is away, or ahead of what is known", async () => {
    const minted = await mintTicket(makeAddress());
    chain = null;
    expect(await ask(minted)).toMatchObject({ status: 503, body: { code: "proof_not_ready" } });
    const { state } = minted;
    const [change] = state.recent;
    if (change === undefined) throw new Error("the mint was a change");
    chain = new Map([[minted.tree, { ...state, seq: 2, recent: [change, { ...change, seq: 2 }] }]]);
    expect(await ask(minted)).toMatchObject({ status: 503, body: { code: "proof_not_ready" } });
  });
});
