import { base58 } from "@metaplex-foundation/umi/serializers";
import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, it } from "vitest";
import type { CollectionFacts, TreeFacts } from "#domain/chain-suitability";
import type { TreeMessage } from "#domain/tree-messages";
import { storeCollectionAddress } from "#storage/events";
import { listTenantTrees } from "#storage/tenant-trees";
import { compose } from "#src/compose";
import { makeApp, readProblem } from "../support/call-service.ts";
import { GOOD_LOOKUP_TABLE, ScriptedTrees, db } from "../support/mint-bench.ts";
import { sellTickets } from "../support/sold-tickets.ts";
import { signToken } from "../support/sign-token.ts";

const newAddress = (): string => base58.deserialize(crypto.getRandomValues(new Uint8Array(32)))[0];
const ADDRESS = newAddress();
const OTHER_ADDRESS = newAddress();
const TREE: TreeFacts = {
  depth: 14,
  bufferSize: 64,
  canopyDepth: 8,
  mintedCount: 384,
  creatorAddress: "owner",
  delegateAddress: "wallet",
  isPublic: false,
  isVersion2: true,
};
const COLLECTION: CollectionFacts = {
  ownerAddress: "owner",
  adderAddresses: ["owner", "wallet"],
  takesCompressed: true,
  freezeDelegate: "wallet",
  transferDelegate: "wallet",
  burnDelegate: "wallet",
  isFrozen: false,
};

let trees: ScriptedTrees;
let sent: TreeMessage[];
let tenantId: string;
let token: string;

beforeEach(async () => {
  trees = new ScriptedTrees();
  sent = [];
  tenantId = crypto.randomUUID();
  token = await signToken({ role: "admin", tenantId });
});

/** The service with a chain and a queue of the test's. */
function call(method: string, path: string, body?: unknown, key = crypto.randomUUID(), by = token): Promise<Response> {
  const app = makeApp({
    compose: (bindings) => {
      const composed = compose(bindings);
      if (!composed.ok) return composed;
      const { createContext } = composed.value;
      // All that the routes use of the queue.
      const chainQueue = { send: async (message: TreeMessage) => void sent.push(message) } as unknown as Queue<TreeMessage>;
      return {
        ok: true,
        value: {
          ...composed.value,
          createContext: (id, nowMs) => ({ ...createContext(id, nowMs), treeKeeper: () => Promise.resolve(trees), chainQueue }),
        },
      };
    },
  });
  const headers = { authorization: `Bearer ${by}`, "content-type": "application/json", "idempotency-key": key };
  return app.fetch(path, { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
}

const codesOf = async (response: Response): Promise<string[]> => {
  const problem = await readProblem(response);
  expect([problem.status, problem.code]).toEqual([422, "chain_account_unsuitable"]);
  return (problem.errors ?? []).map(({ path, code }) => `${path} ${code}`);
};

describe("adding a tree", () => {
  it("takes one that the minting wallet may mint into, with the leaves that it has", async () => {
    trees.tree = TREE;
    const address = newAddress();
    const answer = await call("POST", "/admin/chain/trees", { address, expectedTickets: 10_000 });
    expect(answer.status).toBe(202);
    const tree = { address, number: 1, status: "ACTIVE", depth: 14, capacity: 16_384, mintedCount: 384, lastError: null };
    expect(await answer.json()).toMatchObject(tree);
    expect(await (await call("GET", "/admin/chain/trees")).json()).toMatchObject({ items: [tree] });
    expect(sent).toEqual([]);
  });

  it("sends for a new one, sized for the expected tickets, and makes none for a repeat of the request", async () => {
    const first = await call("POST", "/admin/chain/trees", { expectedTickets: 500_000 }, "same");
    const address = `${tenantId} tree 1`;
    expect(await first.json()).toMatchObject({ address, status: "OPENING", depth: 20, canopyDepth: 10, mintedCount: 0 });
    const again = await call("POST", "/admin/chain/trees", { expectedTickets: 500_000 }, "same");
    expect(again.headers.get("idempotency-replayed")).toBe("true");
    expect(await again.json()).toMatchObject({ address });
    expect(sent).toEqual([{ address }]);
    expect(await readProblem(await call("POST", "/admin/chain/trees", { expectedTickets: 5 }, "same"))).toMatchObject({
      code: "idempotency_key_reused",
    });
    await call("POST", "/admin/chain/trees", { expectedTickets: 900 }, "another");
    expect(await listTenantTrees(db, tenantId)).toMatchObject([{ depth: 20 }, { number: 2, depth: 10 }]);
  });

  it("makes one tree for eight calls at once under one key, and answers each of them with it", async () => {
    const calls = Array.from({ length: 8 }, () => call("POST", "/admin/chain/trees", { expectedTickets: 900 }, "once"));
    const answers = await Promise.all(calls);
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 202));
    expect(answers.filter(({ headers }) => headers.get("idempotency-replayed") === null)).toHaveLength(1);
    expect(await listTenantTrees(db, tenantId)).toHaveLength(1);
  });

  it("makes a tree for each of a dozen who ask at the same moment", async () => {
    const calls = Array.from({ length: 12 }, () => call("POST", "/admin/chain/trees", { expectedTickets: 900 }));
    const answers = await Promise.all(calls);
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 202));
    expect((await listTenantTrees(db, tenantId)).map(({ number }) => number)).toEqual(answers.map((_, at) => at + 1));
  });

  it("makes no more than wait for their turn as it is, however many ask, because the wallet that pays is everybody's", async () => {
    const ask = () => call("POST", "/admin/chain/trees", { expectedTickets: 900 });
    const statuses = (await Promise.all(Array.from({ length: 24 }, ask))).map(({ status }) => status);
    expect(statuses.filter((status) => status === 202)).toHaveLength(20);
    expect(await readProblem(await ask())).toMatchObject({ status: 400, errors: [{ code: "too_many_trees" }] });
    await env.DB.prepare("UPDATE tenant_trees SET status = 'FULL' WHERE tenant_id = ? AND number = 1").bind(tenantId).run();
    expect((await ask()).status).toBe(202);
  });

  it("is another one when the key of its request was forgotten and is used again", async () => {
    const ask = () => call("POST", "/admin/chain/trees", { expectedTickets: 900 }, "monthly");
    await ask();
    const aged = "UPDATE idempotency_keys SET created_at_ms = created_at_ms - 86400001 WHERE tenant_id = ?";
    await env.DB.prepare(aged).bind(tenantId).run();
    expect((await ask()).headers.get("idempotency-replayed")).toBeNull();
    expect(await listTenantTrees(db, tenantId)).toMatchObject([{ number: 1 }, { number: 2 }]);
  });

  it("refuses one that cannot be minted into, saying each thing that is wrong, and keeps nothing of it", async () => {
    const register = () => call("POST", "/admin/chain/trees", { address: ADDRESS, expectedTickets: 16_001 });
    expect(await codesOf(await register())).toEqual(["address no_account"]);
    trees.tree = "other";
    expect(await codesOf(await register())).toEqual(["address not_a_tree"]);
    trees.tree = { ...TREE, isVersion2: false };
    expect(await codesOf(await register())).toEqual(["address not_a_tree"]);
    trees.tree = { ...TREE, delegateAddress: "somebody", isPublic: true };
    expect(await codesOf(await register())).toEqual(["address not_delegated", "address open_to_anyone", "address too_small"]);
    expect(await listTenantTrees(db, tenantId)).toEqual([]);
  });

  it("takes its lookup table with it, or later, and refuses one that its mints cannot use", async () => {
    trees.tree = TREE;
    const [address, lookupTableAddress] = [newAddress(), newAddress()];
    const register = (table?: string) =>
      call("POST", "/admin/chain/trees", { address, ...(table === undefined ? {} : { lookupTableAddress: table }) });
    trees.lookupTable = { ...GOOD_LOOKUP_TABLE, isFrozen: false, isActive: false, lacks: [address] };
    const wrong = ["not_frozen", "deactivated", "incomplete"].map((code) => `lookupTableAddress ${code}`);
    expect(await codesOf(await register(lookupTableAddress))).toEqual(wrong);
    expect(await listTenantTrees(db, tenantId)).toEqual([]);
    expect(await (await register()).json()).toMatchObject({ address, lookupTableAddress: null });
    expect(await codesOf(await register(lookupTableAddress))).toEqual(wrong);
    trees.lookupTable = "other";
    expect(await codesOf(await register(lookupTableAddress))).toEqual(["lookupTableAddress not_a_table"]);
    trees.lookupTable = GOOD_LOOKUP_TABLE;
    expect(await (await register(lookupTableAddress)).json()).toMatchObject({ address, number: 1, lookupTableAddress });
    expect(await (await register()).json()).toMatchObject({ lookupTableAddress });
    expect(await listTenantTrees(db, tenantId)).toMatchObject([{ lookupTableAddress }]);
    const other = await (await call("POST", "/admin/chain/trees", { address: newAddress(), lookupTableAddress })).json();
    expect(other).toMatchObject({ number: 2, lookupTableAddress });
  });

  it("refuses a tree of another tenant's", async () => {
    trees.tree = TREE;
    const address = newAddress();
    await call("POST", "/admin/chain/trees", { address });
    const other = await signToken({ role: "admin", tenantId: crypto.randomUUID() });
    const answer = await call("POST", "/admin/chain/trees", { address }, "k", other);
    expect(await codesOf(answer)).toEqual(["address in_use"]);
    expect((await call("POST", "/admin/chain/trees", { address })).status).toBe(202);
  });

  it("refuses the tree of the configuration, which serves every tenant that has none", async () => {
    trees.tree = TREE;
    const { defaultTreeAddress: address } = trees;
    expect(await codesOf(await call("POST", "/admin/chain/trees", { address }))).toEqual(["address in_use"]);
  });

  it("asks to be tried again when the chain's node does not answer", async () => {
    trees.failure = new Error("no route");
    const answer = await call("POST", "/admin/chain/trees", { address: ADDRESS });
    expect(answer.headers.get("retry-after")).toBe("10");
    expect(await readProblem(answer)).toMatchObject({ status: 503, code: "chain_unavailable" });
  });

  it.each([
    {},
    { address: "0OIl" },
    { expectedTickets: 0 },
    { expectedTickets: 2 ** 24 },
    { expectedTickets: 5, depth: 3 },
    { address: ADDRESS, expectedTickets: 1.5 },
    { lookupTableAddress: ADDRESS, expectedTickets: 5 },
    { address: ADDRESS, lookupTableAddress: "0OIl" },
  ])("refuses a body that is none: %j", async (body) => {
    expect(await readProblem(await call("POST", "/admin/chain/trees", body))).toMatchObject({ code: "validation_failed" });
  });
});

describe("naming an event's collections", () => {
  it("keeps those that the minting wallet may mint into, one by one", async () => {
    const { eventId, tenantId: seller } = await sellTickets(db, 1);
    const by = await signToken({ role: "admin", tenantId: seller });
    const put = (body: unknown) => call("PUT", `/admin/chain/events/${eventId}/collections`, body, "k", by);
    trees.collection = COLLECTION;
    expect(await (await put({ collectionAddress: ADDRESS })).json()).toEqual({
      collectionAddress: ADDRESS,
      frozenCollectionAddress: null,
    });
    trees.collection = { ...COLLECTION, isFrozen: true };
    expect(await (await put({ frozenCollectionAddress: OTHER_ADDRESS })).json()).toEqual({
      collectionAddress: ADDRESS,
      frozenCollectionAddress: OTHER_ADDRESS,
    });
  });

  it("refuses one whose delegates or whose freeze are wrong, and one that is none", async () => {
    const { eventId, tenantId: seller } = await sellTickets(db, 1);
    const by = await signToken({ role: "admin", tenantId: seller });
    const put = (body: unknown) => call("PUT", `/admin/chain/events/${eventId}/collections`, body, "k", by);
    expect(await codesOf(await put({ collectionAddress: ADDRESS }))).toEqual(["collectionAddress no_account"]);
    trees.collection = { ...COLLECTION, adderAddresses: ["owner"], burnDelegate: null, takesCompressed: false };
    expect(await codesOf(await put({ frozenCollectionAddress: ADDRESS }))).toEqual([
      "frozenCollectionAddress no_compressed",
      "frozenCollectionAddress not_delegated",
      "frozenCollectionAddress not_delegated",
      "frozenCollectionAddress not_frozen",
    ]);
    expect(await readProblem(await put({}))).toMatchObject({ code: "validation_failed" });
  });

  it("refuses one that another tenant's event has, in which its tickets would pass for that event's", async () => {
    trees.collection = COLLECTION;
    const [one, other] = [await sellTickets(db, 1), await sellTickets(db, 1)];
    const put = async (sale: typeof one, collectionAddress: string): Promise<Response> => {
      const by = await signToken({ role: "admin", tenantId: sale.tenantId });
      return call("PUT", `/admin/chain/events/${sale.eventId}/collections`, { collectionAddress }, "k", by);
    };
    const [named, frozen] = [newAddress(), newAddress()];
    expect((await put(one, named)).status).toBe(200);
    await storeCollectionAddress(db, { ...one, isTransferable: false }, frozen, Date.now());
    for (const address of [named, frozen])
      expect(await codesOf(await put(other, address))).toEqual(["collectionAddress in_use"]);
    expect((await put(one, named)).status).toBe(200);
  });

  it("knows no event of another tenant's", async () => {
    const { eventId } = await sellTickets(db, 1);
    trees.collection = COLLECTION;
    const answer = await call("PUT", `/admin/chain/events/${eventId}/collections`, { collectionAddress: ADDRESS });
    expect(await readProblem(answer)).toMatchObject({ status: 404, code: "not_found" });
  });
});
