import { describe, expect, it } from "vitest";
import { createAssetChain } from "#chain/asset-mover";
import { createDasSource } from "#chain/das-source";
import { createRpcClient } from "#chain/rpc-client";
import { generateSolanaAddress, generateSolanaWallet } from "#dev/secrets";
import { CircuitBreakers } from "#platform/circuit-breakers";

const HOUR_MS = 60 * 60_000;
const KEY = generateSolanaAddress();
const ASSET = {
  compression: {
    compressed: true,
    data_hash: KEY,
    creator_hash: KEY,
    collection_hash: KEY,
    asset_data_hash: KEY,
    flags: 0,
    tree: KEY,
    leaf_id: 5,
  },
  ownership: { owner: KEY, delegate: null },
};
const PROOF = { root: KEY, proof: [KEY, KEY], node_index: 9, leaf: KEY, tree_id: KEY };
const ANSWERS: Readonly<Record<string, unknown>> = { getAsset: ASSET, getAssetProof: PROOF };

type Answer = (method: string) => Response | Promise<Response>;
const result = (value: unknown): Response => Response.json({ jsonrpc: "2.0", id: 1, result: value });
const refusal = (code: number, message: string, status = 200): Response =>
  Response.json({ jsonrpc: "2.0", id: 1, error: { code, message } }, { status });
const offers: Answer = (method) => result(ANSWERS[method]);

/** An index behind each of these nodes, what was asked of which, and a clock to be set. */
function makeSource(answers: readonly Answer[], timeoutMs = 1_000) {
  const asked: string[] = [];
  const fetcher: typeof fetch = async (input, init) => {
    const { method, place } = await readRequest(input, init);
    asked.push(`${method} ${place}`);
    const answer = answers[place]?.(method) ?? new Response(null, { status: 503 });
    return Promise.race([answer, waitForAbort(init?.signal)]);
  };
  const urls = answers.map((_, place) => `http://node${place}`).join(",");
  const clock = { nowMs: 0 };
  const { nodes } = createRpcClient(urls, { fetcher, timeoutMs });
  return { das: createDasSource(nodes, () => clock.nowMs), asked, clock };
}

async function readRequest(...call: Parameters<typeof fetch>): Promise<{ method: string; place: number }> {
  const request = new Request(...call);
  const { method } = (await request.json()) as { method: string };
  return { method, place: Number(/node(\d)/.exec(request.url)?.[1]) };
}

function waitForAbort(signal: AbortSignal | null | undefined): Promise<never> {
  return new Promise((_resolve, reject) => {
    signal?.addEventListener("abort", () => reject(new DOMException("too late", "TimeoutError")));
  });
}

describe("what a node's index says of an asset", () => {
  it("is read by Metaplex's names, a delegate that is left out being the owner", async () => {
    const { das, asked } = makeSource([offers]);
    const told = await das.findLeaf("asset");
    expect(told).toMatchObject({
      tree: KEY,
      leaf: { assetId: "asset", leafIndex: 5, ownerAddress: KEY, delegateAddress: KEY },
    });
    expect(told?.proof.map(({ length }) => length)).toEqual([32, 32]);
    expect(asked.toSorted()).toEqual(["getAsset 0", "getAssetProof 0"]);
  });

  it.each<[string, Answer]>([
    ["a plain node, which does not know the method", () => refusal(-32_601, "Method not found")],
    ["a provider that calls the method unsupported", () => refusal(-32_600, "Unsupported method: getAsset", 400)],
    ["a provider whose plan does not include it", () => refusal(-32_002, "Tier insufficient", 403)],
    ["a gateway without such a route", () => new Response(null, { status: 404 })],
  ])("costs nothing with %s, but for one try an hour", async (_, plain) => {
    const { das, asked, clock } = makeSource([plain]);
    for (let tries = 0; tries < 5; tries += 1) expect(await das.findLeaf("asset")).toBeUndefined();
    expect(asked).toHaveLength(2);
    clock.nowMs = HOUR_MS - 1;
    await das.findLeaf("asset");
    expect(asked).toHaveLength(2);
    clock.nowMs = HOUR_MS;
    await das.findLeaf("asset");
    expect(asked).toHaveLength(4);
  });

  it("comes from the first node that has an index, and those without are passed over", async () => {
    const { das, asked } = makeSource([() => refusal(-32_601, "Method not found"), offers]);
    for (let tries = 0; tries < 3; tries += 1) expect(await das.findLeaf("asset")).toBeDefined();
    expect(asked.filter((call) => call.endsWith("0"))).toHaveLength(2);
    expect(asked.filter((call) => call.endsWith("1"))).toHaveLength(6);
  });

  it.each<[string, Answer]>([
    ["does not know the asset", () => refusal(-32_000, "Database Error: RecordNotFound Error: Asset Proof Not Found")],
    ["fails", () => new Response(null, { status: 500 })],
    ["is asked too often", () => new Response(null, { status: 429 })],
    ["does not answer in time", () => new Promise(() => undefined)],
    ["answers nothing", () => result(null)],
    ["answers no JSON", () => new Response("<html>")],
    ["knows a leaf of version 1", (method) => result(method === "getAsset" ? withoutHashes() : PROOF)],
    ["gives hashes that are none", (method) => result(method === "getAsset" ? ASSET : { ...PROOF, proof: ["0OIl", KEY] })],
    ["gives a hash of another length", (method) => result(method === "getAsset" ? ASSET : { ...PROOF, proof: [KEY, "1"] })],
    ["gives an owner who is nobody", (method) => result(method === "getAsset" ? withOwner("nobody") : PROOF)],
    ["gives a proof without end", (method) => result(method === "getAsset" ? ASSET : { ...PROOF, proof: Array(31).fill(KEY) })],
  ])("comes from the next one when the first %s, and the first is asked again next time", async (_, trouble) => {
    const { das, asked } = makeSource([trouble, offers], 20);
    for (let tries = 0; tries < 2; tries += 1) expect(await das.findLeaf("asset")).toBeDefined();
    expect(asked.filter((call) => call.endsWith("0"))).toHaveLength(4);
    expect(await makeSource([trouble], 20).das.findLeaf("asset")).toBeUndefined();
  });
});

describe("an index that does not answer", () => {
  it("opens breakers of its own: minting goes on through the same node", async () => {
    const breakers = new CircuitBreakers();
    const fetcher: typeof fetch = async (input, init) => {
      return (await readRequest(input, init)).method.startsWith("getAsset")
        ? new Response(null, { status: 503 })
        : result("ok");
    };
    const walletSecretKey = generateSolanaWallet();
    const { das, trees } = await createAssetChain({ rpcUrl: "http://node0", walletSecretKey, breakers, fetcher });
    for (let tries = 0; tries < 5; tries += 1) expect(await das.findLeaf("asset")).toBeUndefined();
    const stateOf = (name: string) => breakers.list().find((breaker) => breaker.name === name)?.state;
    expect([stateOf("solana-das"), stateOf("solana-rpc")]).toEqual(["open", "closed"]);
    await expect(trees.listSignatures("tree", 0)).rejects.not.toThrow("open");
  });
});

function withoutHashes() {
  const { collection_hash: _collection, asset_data_hash: _data, ...compression } = ASSET.compression;
  return { ...ASSET, compression };
}

function withOwner(owner: string) {
  return { ...ASSET, ownership: { owner, delegate: null } };
}
