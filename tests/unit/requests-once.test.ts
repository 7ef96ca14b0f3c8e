import { describe, expect, it } from "vitest";
import type { MadeOnce, RequestIdentity } from "#domain/order-messages";
import { KnownRequests } from "#durable-objects/order-desk/known-requests";
import { RequestsOnce, type Remembered } from "#durable-objects/order-desk/requests-once";

/** A desk's memory: requests are looked up when the earlier writes are on disk, which the test decides. */
function openDesk() {
  const stored = new Map<string, { readonly bodyHash: string; readonly answer: MadeOnce<string> }>();
  const lookups: (readonly string[])[] = [];
  let writesAreOnDisk = (): void => undefined;
  let breaks = false;
  const known = new KnownRequests({ sync: () => new Promise((resolve) => (writesAreOnDisk = resolve)) }, (requestIds) => {
    lookups.push(requestIds);
    if (breaks) throw new Error("the disk is gone");
    return new Set(requestIds.filter((requestId) => stored.has(requestId)));
  });
  const once = new RequestsOnce(known);
  const made: string[] = [];
  const unreadable = new Set<string>();
  const send = (requestId: string, bodyHash: string, work?: Promise<void>): Promise<MadeOnce<string>> => {
    const request: RequestIdentity = { tenantId: "t", userId: "u", route: "POST /x", requestId, bodyHash };
    const find = (): Remembered<string> => {
      if (unreadable.has(requestId)) throw new Error("the row can't be read");
      return stored.get(requestId);
    };
    return once.run(request, find, async () => {
      made.push(`${requestId} ${bodyHash}`);
      await work;
      const answer: MadeOnce<string> = { ok: true, value: `${requestId} ${bodyHash}`, replayed: false, stock: [] };
      stored.set(requestId, { bodyHash, answer });
      return answer;
    });
  };
  const reach = async (): Promise<void> => {
    writesAreOnDisk();
    await new Promise((resolve) => setImmediate(resolve));
  };
  return { send, reach, made, lookups, unreadable, breakDisk: (isBroken: boolean) => (breaks = isBroken) };
}

const first = { ok: true, value: "r body", replayed: false };
const again = { ok: true, value: "r body", replayed: true };
const reused = { ok: false, failure: { code: "idempotency_key_reused" }, replayed: false };

describe("requests to a desk", () => {
  it("that come while earlier writes are on their way to disk are looked up together", async () => {
    const { send, reach, made, lookups } = openDesk();
    const answers = Promise.all([send("r", "body"), send("s", "body"), send("q", "body")]);
    await reach();
    await answers;
    expect(lookups).toEqual([["r", "s", "q"]]);
    expect(made).toEqual(["r body", "s body", "q body"]);
  });

  it("have one effect when the same one comes twice in a turn", async () => {
    const { send, reach, made } = openDesk();
    const answers = Promise.all([send("r", "body"), send("r", "body")]);
    await reach();
    expect(await answers).toMatchObject([first, again]);
    expect(made).toEqual(["r body"]);
  });

  it("get the first answer when it was stored while they waited for their lookup", async () => {
    const { send, reach, made } = openDesk();
    let finish = (): void => undefined;
    const made1 = send("r", "body", new Promise((resolve) => (finish = resolve)));
    await reach();
    const repeat = send("r", "body");
    finish();
    expect(await made1).toMatchObject(first);
    await reach();
    expect(await repeat).toMatchObject(again);
    expect(made).toEqual(["r body"]);
  });

  it("are answered by the first one's body, also beside one with another body", async () => {
    const { send, reach, made } = openDesk();
    const made1 = send("r", "body");
    await reach();
    await made1;
    const answers = Promise.all([send("r", "other"), send("r", "body")]);
    await reach();
    expect(await answers).toMatchObject([reused, again]);
    expect(made).toEqual(["r body"]);
  });

  it("fail alone when what they got before can't be read", async () => {
    const { send, reach, unreadable } = openDesk();
    const made1 = send("r", "body");
    await reach();
    await made1;
    unreadable.add("r");
    const answers = Promise.allSettled([send("r", "body"), send("s", "body")]);
    await reach();
    expect((await answers).map(({ status }) => status)).toEqual(["rejected", "fulfilled"]);
  });

  it("fail when they can't be looked up, and can be sent again", async () => {
    const { send, reach, made, breakDisk } = openDesk();
    breakDisk(true);
    const failed = Promise.allSettled([send("r", "body"), send("s", "body")]);
    await reach();
    expect((await failed).map(({ status }) => status)).toEqual(["rejected", "rejected"]);
    breakDisk(false);
    const answer = send("r", "body");
    await reach();
    expect(await answer).toMatchObject(first);
    expect(made).toEqual(["r body"]);
  });
});
