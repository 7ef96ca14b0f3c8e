import { describe, expect, it } from "vitest";
import { observeSignatures } from "#chain/observe-signatures";
import { createRpcClient, type RpcClient } from "#chain/rpc-client";
import { CircuitBreakers } from "#platform/circuit-breakers";

type Answer = (method: string) => Response | Promise<Response>;

const result = (value: unknown): Response => Response.json({ jsonrpc: "2.0", id: 1, result: value });
const refusal = (code: number): Response => Response.json({ jsonrpc: "2.0", id: 1, error: { code, message: "no" } });

/** A client of nodes that answer as they are told, and who was asked what. */
function makeClient(nodes: readonly Answer[]): { rpc: RpcClient; asked: string[]; breakers: CircuitBreakers } {
  const asked: string[] = [];
  const breakers = new CircuitBreakers({ failuresToOpen: 2, openForMs: 60_000 });
  const fetcher: typeof fetch = async (input, init) => {
    const request = new Request(input, init);
    const { method } = (await request.json()) as { method: string };
    const place = Number(/node(\d)/.exec(request.url)?.[1]);
    asked.push(`${place} ${method}`);
    return (await nodes[place]?.(method)) ?? Response.error();
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
    readonly oldestHeight?: number;
  }

  /** Answers as a node of this state; `dark` methods get no answer. */
  const nodeOf =
    ({ slot, finalizedHeight, status = null, oldestHeight = 0 }: NodeState, dark: readonly string[] = []): Answer =>
    (method) => {
      if (dark.includes(method)) return new Response(null, { status: 503 });
      const answers: Readonly<Record<string, unknown>> = {
        getSignatureStatuses: { context: { slot }, value: [status] },
        getEpochInfo: { absoluteSlot: finalizedHeight + 100, blockHeight: finalizedHeight },
        getFirstAvailableBlock: oldestHeight === 0 ? 0 : oldestHeight + 100,
        getBlock: { blockHeight: oldestHeight },
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

  it("calls it unclear when the node has pruned the blocks that could hold it: a job queued again days later is not minted twice", async () => {
    const state = { slot: 9_999, finalizedHeight: 9_000 };
    expect(await seenBy([nodeOf({ ...state, oldestHeight: LAST_VALID - 149 })])).toMatchObject({ seen: "unclear" });
    expect(await seenBy([nodeOf({ ...state, oldestHeight: LAST_VALID - 150 })])).toMatchObject({ seen: "unknown" });
  });

  it("needs one call when the node knows it", async () => {
    const status = { err: null, confirmationStatus: "finalized" };
    const { rpc, asked } = makeClient([nodeOf({ slot: 1_200, finalizedHeight: 1_100, status })]);
    expect((await observeSignatures(rpc, submitted)).get("s")?.seen).toBe("succeeded");
    expect(asked).toEqual(["0 getSignatureStatuses"]);
  });
});
