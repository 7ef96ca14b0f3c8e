import { describe, expect, it } from "vitest";
import { observeSignatures } from "#chain/observe-signatures";
import { createRpcClient, type RpcClient } from "#chain/rpc-client";
import { CircuitBreakers } from "#platform/circuit-breakers";

type Answer = (method: string, params: readonly number[]) => Response | Promise<Response>;

const result = (value: unknown): Response => Response.json({ jsonrpc: "2.0", id: 1, result: value });
const refusal = (code: number): Response => Response.json({ jsonrpc: "2.0", id: 1, error: { code, message: "no" } });

/** A client of nodes that answer as they are told, and who was asked what. */
function makeClient(nodes: readonly Answer[]): { rpc: RpcClient; asked: string[]; breakers: CircuitBreakers } {
  const asked: string[] = [];
  const breakers = new CircuitBreakers({ failuresToOpen: 2, openForMs: 60_000 });
  const fetcher: typeof fetch = async (input, init) => {
    const request = new Request(input, init);
    const { method, params } = (await request.json()) as { method: string; params: readonly number[] };
    const place = Number(/node(\d)/.exec(request.url)?.[1]);
    asked.push(`${place} ${method}`);
    return (await nodes[place]?.(method, params)) ?? Response.error();
  };
  const urls = nodes.map((_, place) => `http://node${place}.test`).join(", ");
  return { rpc: createRpcClient(urls, { fetcher, breakers, timeoutMs: 1_000 }), asked, breakers };
}

const stateOf = (breakers: CircuitBreakers, name: string) => breakers.list().find((breaker) => breaker.name === name)?.state;

describe("a list of Solana nodes", () => {
  it.each([
    ["429", () => new Response(null, { status: 429 })],
    ["503", () => new Response(null, { status: 503 })],
    ["a dead key", () => new Response(null, { status: 401 })],
    ["no connection", () => Promise.reject(new TypeError("connection refused"))],
    ["a node that says it is behind", () => refusal(-32_005)],
    ["a node that keeps no history", () => refusal(-32_011)],
    ["an answer that is no JSON", () => new Response("<html>")],
  ] satisfies [string, Answer][])(
    "asks the next one after %s, and the first one only until its breaker opens",
    async (_, broken) => {
      const { rpc, asked, breakers } = makeClient([broken, () => result("ok")]);
      for (let call = 0; call < 3; call += 1) expect(await rpc.call("getHealth")).toBe("ok");
      expect(asked).toEqual(["0 getHealth", "1 getHealth", "0 getHealth", "1 getHealth", "1 getHealth"]);
      expect([stateOf(breakers, "solana-rpc"), stateOf(breakers, "solana-rpc-2")]).toEqual(["open", "closed"]);
    },
  );

  it("takes a refusal for the answer: the next node would only refuse too, and no breaker opens", async () => {
    const { rpc, asked, breakers } = makeClient([() => refusal(-32_002), () => result("ok")]);
    for (let call = 0; call < 5; call += 1) await expect(rpc.call("sendTransaction")).rejects.toThrow("-32002");
    expect(asked).toHaveLength(5);
    expect(stateOf(breakers, "solana-rpc")).toBe("closed");
  });

  it("gives up after the last one, with what that one said", async () => {
    const { rpc } = makeClient([() => new Response(null, { status: 500 }), () => new Response(null, { status: 429 })]);
    await expect(rpc.call("getSlot")).rejects.toThrow("429");
  });

  it("does not wait for a node that never answers longer than its time-out", async () => {
    const hanging: typeof fetch = (_input, init) =>
      new Promise((_resolve, reject) => {
        init?.signal?.addEventListener("abort", () => reject(new DOMException("too late", "TimeoutError")));
      });
    const rpc = createRpcClient("http://node0.test", { fetcher: hanging, timeoutMs: 5 });
    await expect(rpc.call("getSlot")).rejects.toThrow("too late");
  });
});

describe("asking several nodes what became of a transaction", () => {
  const LAST_VALID = 1_000;
  const submitted = [{ signature: "s", lastValidBlockHeight: LAST_VALID }];

  interface NodeState {
    readonly slot: number;
    readonly finalizedHeight: number;
    readonly status?: object | null;
    /** True for the heights of blocks that the node has. */
    readonly hasBlock?: (height: number) => boolean;
  }

  /** Each height's slot: every tenth has no block. */
  const slotOf = (height: number): number => height + Math.floor(height / 9);
  const heights = Array.from({ length: 10_000 }, (_, height) => height);

  /** Answers as a node of this state; `dark` methods get no answer. */
  const nodeOf =
    ({ slot, finalizedHeight, status = null, hasBlock = () => true }: NodeState, dark: readonly string[] = []): Answer =>
    (method, [asked = 0, limit = 0]) => {
      if (dark.includes(method)) return new Response(null, { status: 503 });
      const there = heights.filter((height) => height <= finalizedHeight && hasBlock(height));
      const blockHeight = there.find((height) => slotOf(height) === asked);
      if (method === "getBlock" && blockHeight === undefined) return refusal(-32_004);
      const answers: Readonly<Record<string, unknown>> = {
        getSignatureStatuses: { context: { slot }, value: [status] },
        getEpochInfo: { absoluteSlot: slotOf(finalizedHeight), blockHeight: finalizedHeight },
        getBlocksWithLimit: there
          .map(slotOf)
          .filter((each) => each >= asked)
          .slice(0, limit),
        getBlock: { blockHeight },
      };
      return result(answers[method]);
    };
  const seenBy = async (nodes: readonly Answer[]) => (await observeSignatures(makeClient(nodes).rpc, submitted)).get("s");

  it("rules it out by one that is up to date and remembers that long", async () => {
    const upToDate = nodeOf({ slot: 1_200, finalizedHeight: LAST_VALID + 1 });
    expect(await seenBy([upToDate])).toEqual({ seen: "unknown", finalizedBlockHeight: LAST_VALID + 1, error: null });
  });

  it("believes no height of one node together with another node's not knowing: the whole question goes to the next", async () => {
    // The first knows that the time is over and can't tell the status any more; the second is behind and has not seen the block.
    const first = nodeOf({ slot: 1_200, finalizedHeight: LAST_VALID + 1 }, ["getSignatureStatuses"]);
    const behind = nodeOf({ slot: 1_050, finalizedHeight: LAST_VALID - 60 });
    expect(await seenBy([first, behind])).toMatchObject({ seen: "unknown", finalizedBlockHeight: LAST_VALID - 60 });
  });

  it("calls it unclear when the slot of the answer is behind the finalized one", async () => {
    expect(await seenBy([nodeOf({ slot: 1_050, finalizedHeight: LAST_VALID + 1 })])).toMatchObject({ seen: "unclear" });
  });

  it.each<[string, (height: number) => boolean]>([
    ["has pruned", (height) => height > LAST_VALID - 150],
    ["was away for one of", (height) => height !== LAST_VALID - 70],
    ["came back from a snapshot just after", (height) => height < LAST_VALID - 140 || height > LAST_VALID],
    ["has nothing before but", (height) => height === LAST_VALID],
  ])(
    "calls it unclear when the node %s the blocks that could hold it: no ticket is minted twice by that",
    async (_, hasBlock) => {
      expect(await seenBy([nodeOf({ slot: 9_999, finalizedHeight: 8_000, hasBlock })])).toMatchObject({ seen: "unclear" });
    },
  );

  it("asks the next node about what the first can't tell, and does without it when that one is down", async () => {
    const wasAway = nodeOf({ slot: 9_999, finalizedHeight: 8_000, hasBlock: (height) => height > LAST_VALID });
    const landed = nodeOf({ slot: 9_999, finalizedHeight: 8_000, status: { err: null, confirmationStatus: "finalized" } });
    expect(await seenBy([wasAway, landed])).toMatchObject({ seen: "succeeded" });
    const down: Answer = () => new Response(null, { status: 503 });
    expect(await seenBy([wasAway, down])).toMatchObject({ seen: "unclear" });
    await expect(seenBy([down, down])).rejects.toThrow("503");
  });

  it("rules it out by a node that has those blocks and not all others", async () => {
    const hasBlock = (height: number): boolean => height >= LAST_VALID - 150 && height !== LAST_VALID + 1;
    expect(await seenBy([nodeOf({ slot: 9_999, finalizedHeight: 8_000, hasBlock })])).toMatchObject({ seen: "unknown" });
  });

  it("needs one call when the node knows it", async () => {
    const status = { err: null, confirmationStatus: "finalized" };
    const { rpc, asked } = makeClient([nodeOf({ slot: 1_200, finalizedHeight: 1_100, status })]);
    expect((await observeSignatures(rpc, submitted)).get("s")?.seen).toBe("succeeded");
    expect(asked).toEqual(["0 getSignatureStatuses"]);
  });
});
