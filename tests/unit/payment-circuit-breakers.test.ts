import { afterEach, describe, expect, test, vi } from "vitest";
import { CIRCUIT_BREAKER_NAMES, CircuitBreakers } from "#platform/circuit-breakers";

const fail = (): Promise<never> => Promise.reject(new Error("down"));
const work = (): Promise<string> => Promise.resolve("worked");

afterEach(() => {
  vi.useRealTimers();
});

async function failTimes(breakers: CircuitBreakers, times: number): Promise<void> {
  for (let call = 0; call < times; call += 1) {
    await expect(breakers.run("solana-rpc", fail)).rejects.toThrow("down");
  }
}

function stateOf(breakers: CircuitBreakers, name: string): string | undefined {
  return breakers.list().find((breaker) => breaker.name === name)?.state;
}

describe("a dependency that keeps failing is left alone", () => {
  test("stops calling after five failures in a row, and says when to come back", async () => {
    const breakers = new CircuitBreakers({ openForMs: 60_000 });
    await failTimes(breakers, 5);
    let wasCalled = false;
    const result = await breakers.run("solana-rpc", async () => {
      wasCalled = true;
    });
    expect(result).toEqual({ ok: false, failure: { code: "circuit_open", name: "solana-rpc", retryAfterSeconds: 60 } });
    expect(wasCalled).toBe(false);
  });

  test("does not open on failures with successes in between", async () => {
    const breakers = new CircuitBreakers();
    await failTimes(breakers, 4);
    await breakers.run("solana-rpc", work);
    await failTimes(breakers, 4);
    expect(stateOf(breakers, "solana-rpc")).toBe("closed");
  });

  test("does not stop selling because the chain is down", async () => {
    const breakers = new CircuitBreakers({ openForMs: 60_000 });
    await failTimes(breakers, 5);
    expect(await breakers.run("payment-provider-standard", work)).toEqual({ ok: true, value: "worked" });
  });

  test("closes again after one call that works", async () => {
    const breakers = new CircuitBreakers({ openForMs: 0 });
    await failTimes(breakers, 5);
    expect(stateOf(breakers, "solana-rpc")).toBe("open");
    expect(await breakers.run("solana-rpc", work)).toEqual({ ok: true, value: "worked" });
    expect(stateOf(breakers, "solana-rpc")).toBe("closed");
  });

  test("lets one call through to see, and answers the others at once instead of making them wait for it", async () => {
    const breakers = new CircuitBreakers({ openForMs: 0 });
    await failTimes(breakers, 5);
    const { promise, resolve } = Promise.withResolvers<string>();
    const probe = breakers.run("solana-rpc", () => promise);
    expect(stateOf(breakers, "solana-rpc")).toBe("half_open");
    expect(await breakers.run("solana-rpc", work)).toMatchObject({ ok: false, failure: { code: "circuit_open" } });
    resolve("worked");
    expect(await probe).toEqual({ ok: true, value: "worked" });
    expect(stateOf(breakers, "solana-rpc")).toBe("closed");
  });

  test("calls again although the request that was to see was cancelled and never reports", async () => {
    vi.useFakeTimers({ toFake: ["Date"] });
    const breakers = new CircuitBreakers({ openForMs: 0 });
    await failTimes(breakers, 5);
    void breakers.run("solana-rpc", () => new Promise(() => undefined));
    vi.advanceTimersByTime(29_000);
    expect(await breakers.run("solana-rpc", work)).toMatchObject({ ok: false });
    vi.advanceTimersByTime(1000);
    expect(await breakers.run("solana-rpc", work)).toEqual({ ok: true, value: "worked" });
  });
});

describe("operators see and reset the breakers", () => {
  test("lists every breaker with its counters, used or not", async () => {
    const breakers = new CircuitBreakers({ failuresToOpen: 2, openForMs: 60_000 });
    await breakers.run("solana-rpc", work);
    await failTimes(breakers, 2);
    await breakers.run("solana-rpc", work);
    expect(breakers.list().map((breaker) => breaker.name)).toEqual([...CIRCUIT_BREAKER_NAMES]);
    expect(breakers.list().find((breaker) => breaker.name === "solana-rpc")).toEqual({
      name: "solana-rpc",
      state: "open",
      succeededCount: 1,
      failedCount: 2,
      refusedCount: 1,
      openedCount: 1,
    });
  });

  test("resets the one that is named, or all", async () => {
    const breakers = new CircuitBreakers({ failuresToOpen: 1, openForMs: 60_000 });
    await failTimes(breakers, 1);
    expect(breakers.reset("payment-provider-standard")).toEqual(["payment-provider-standard"]);
    expect(stateOf(breakers, "solana-rpc")).toBe("open");
    expect(breakers.reset("solana-rpc")).toEqual(["solana-rpc"]);
    expect(stateOf(breakers, "solana-rpc")).toBe("closed");
    await failTimes(breakers, 1);
    expect(breakers.reset()).toEqual([...CIRCUIT_BREAKER_NAMES]);
    expect(stateOf(breakers, "solana-rpc")).toBe("closed");
    expect(breakers.reset("no such breaker")).toEqual([]);
  });

  test("does not let a call from before the reset open the breaker again", async () => {
    const breakers = new CircuitBreakers({ failuresToOpen: 1, openForMs: 60_000 });
    const { promise, reject } = Promise.withResolvers<never>();
    const late = breakers.run("solana-rpc", () => promise);
    breakers.reset();
    reject(new Error("late"));
    await expect(late).rejects.toThrow("late");
    expect(stateOf(breakers, "solana-rpc")).toBe("closed");
  });
});
