import { afterEach, expect, it, vi } from "vitest";
import { DurableLedger, type LedgerHooks } from "#durable-objects/durable-ledger";
import type { OutboxRow } from "#durable-objects/outbox";
import type { Logger } from "#platform/logger";
import { inFreshStorage, withRecordedAlarm, type AlarmRecord } from "../support/ledger-storage.ts";

class Refusal extends Error {}

/** A ledger whose commands are the messages it tells, with a receiver, a clock and alarm work that the test steers. */
class Scene {
  nowMs = 1_000_000;
  readonly told: string[] = [];
  readonly logged: string[] = [];
  beforeTelling: (rows: readonly OutboxRow[]) => Promise<void> | void = () => {};
  isUnhurried = false;
  work: () => Promise<void> | void = () => {};
  workAtMs: number | undefined;
  readNextWorkMs: () => number | undefined = () => this.workAtMs;
  readonly alarm: AlarmRecord;
  readonly ledger: DurableLedger<string, true>;
  readonly storage: DurableObjectStorage;

  constructor(real: DurableObjectStorage) {
    const { storage, alarm } = withRecordedAlarm(real);
    this.storage = storage;
    this.alarm = alarm;
    this.ledger = this.load();
  }

  /** A ledger as a newly loaded object makes it. */
  load(): DurableLedger<string, true> {
    const log = (message: string): void => void this.logged.push(message);
    const logger: Logger = { debug: log, info: log, warn: log, error: log, with: () => logger };
    const hooks: LedgerHooks<string, true> = {
      apply: (commands, _, emit) =>
        commands.map((body) => {
          emit({ topic: "word", body });
          return true;
        }),
      reload: () => {},
      deliver: async (rows) => {
        await this.beforeTelling(rows);
        this.told.push(...bodiesOf(rows));
      },
      isUnhurried: () => this.isUnhurried,
      isRefusal: (error) => error instanceof Refusal,
      onAlarm: async () => this.work(),
      nextWorkMs: () => this.readNextWorkMs(),
    };
    return new DurableLedger(this.storage, hooks, logger, () => this.nowMs);
  }

  waitingCount(): number {
    return this.storage.sql.exec<{ n: number }>("SELECT COUNT(*) AS n FROM outbox").one().n;
  }

  /** Lets time pass to the alarm and runs it, as the platform would. */
  async runAlarm(ledger = this.ledger): Promise<void> {
    if (this.alarm.atMs === null) throw new Error("no alarm is set");
    this.nowMs = Math.max(this.nowMs, this.alarm.atMs);
    this.alarm.atMs = null;
    await ledger.alarm();
  }
}

function bodiesOf(rows: readonly OutboxRow[]): string[] {
  return rows.map((row) => JSON.parse(row.body) as string); // strings, written by `apply`
}

function inScene(body: (scene: Scene) => Promise<void>): Promise<void> {
  return inFreshStorage((storage) => body(new Scene(storage)));
}

afterEach(() => {
  vi.useRealTimers();
});

it("tells what was committed, in order, and then lets the object sleep", () =>
  inScene(async (scene) => {
    await Promise.all(["a", "b", "c"].map((word) => scene.ledger.submit(word)));
    await scene.runAlarm();
    expect(scene.told).toEqual(["a", "b", "c"]);
    expect(scene.waitingCount()).toBe(0);
    expect(scene.alarm.atMs).toBeNull();
  }));

it("arms an alarm for what is committed while a delivery that began before it is under way", () =>
  inScene(async (scene) => {
    await scene.ledger.submit("early");
    scene.beforeTelling = async () => {
      scene.beforeTelling = () => {};
      await scene.ledger.submit("meanwhile");
    };
    await scene.runAlarm();
    while (scene.alarm.atMs !== null) await scene.runAlarm();
    expect(scene.told).toEqual(["early", "meanwhile"]);
  }));

it("arms an alarm for what is submitted before a delivery ends and committed after it", () =>
  inScene(async (scene) => {
    await scene.ledger.submit("early");
    const running = scene.runAlarm();
    const late = scene.ledger.submit("late"); // committed a turn later
    await running;
    await late;
    while (scene.alarm.atMs !== null) await scene.runAlarm();
    expect(scene.told).toEqual(["early", "late"]);
    expect(scene.waitingCount()).toBe(0);
  }));

it("arms an alarm for what is committed just after an alarm found nothing to tell", () =>
  inScene(async (scene) => {
    scene.workAtMs = scene.nowMs + 1;
    scene.ledger.arm();
    const late = scene.ledger.submit("late"); // committed a turn later, when the alarm has run
    scene.workAtMs = undefined;
    await scene.runAlarm();
    expect(scene.told).toEqual([]);
    await late;
    await scene.runAlarm();
    expect(scene.told).toEqual(["late"]);
  }));

it("tells again what it could not tell, at longer and longer intervals of at most 30 s, in the old order", () =>
  inScene(async (scene) => {
    await Promise.all(["a", "b"].map((word) => scene.ledger.submit(word)));
    scene.beforeTelling = () => {
      throw new Error("the receiver is down");
    };
    const delays: number[] = [];
    for (let attempt = 0; attempt < 12; attempt += 1) {
      await scene.runAlarm();
      delays.push((scene.alarm.atMs ?? 0) - scene.nowMs);
    }
    expect(delays).toEqual([300, 600, 1200, 2400, 4800, 9600, 19_200, 30_000, 30_000, 30_000, 30_000, 30_000]);
    scene.beforeTelling = () => {};
    await scene.ledger.submit("c");
    await scene.runAlarm();
    expect(scene.told).toEqual(["a", "b", "c"]);
  }));

it("gives a delivery up that is never answered, tells its rows again, and minds no answer that comes after all", () =>
  inScene(async (scene) => {
    const { promise: answer, resolve: answerLate } = Promise.withResolvers<void>();
    await scene.ledger.submit("a");
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    scene.beforeTelling = () => answer;
    const running = scene.runAlarm();
    await scene.ledger.submit("b");
    await vi.advanceTimersByTimeAsync(59_999);
    expect(scene.logged).toEqual([]);
    await vi.advanceTimersByTimeAsync(1);
    expect(scene.logged).toEqual(["delivery failed, will be tried again"]);
    await running;
    expect(scene.alarm.atMs).toBe(scene.nowMs + 300);
    answerLate();
    await vi.advanceTimersByTimeAsync(0);
    expect([scene.told, scene.waitingCount()]).toEqual([["a"], 2]);
    await scene.runAlarm();
    expect([scene.told, scene.waitingCount()]).toEqual([["a", "a", "b"], 0]);
    expect(vi.getTimerCount()).toBe(0);
  }));

it("sets a refused row aside with an alert, tells those around it, and tries that one again later", () =>
  inScene(async (scene) => {
    await Promise.all(["a", "bad", "b", "c", "d"].map((word) => scene.ledger.submit(word)));
    scene.beforeTelling = (rows) => {
      if (bodiesOf(rows).includes("bad")) throw new Refusal("broken constraint");
    };
    await scene.runAlarm();
    expect(new Set(scene.told)).toEqual(new Set(["a", "b", "c", "d"]));
    expect(scene.told).toHaveLength(4);
    expect(scene.logged).toEqual(["a row was refused and set aside"]);
    expect(scene.waitingCount()).toBe(1);
    expect(scene.alarm.atMs).toBe(scene.nowMs + 1_000);
    await scene.runAlarm();
    expect(scene.alarm.atMs).toBe(scene.nowMs + 2_000);
    scene.beforeTelling = () => {};
    await scene.runAlarm();
    expect(scene.told.at(-1)).toBe("bad");
    expect(scene.waitingCount()).toBe(0);
    expect(scene.alarm.atMs).toBeNull();
  }));

it("tells new messages while refused ones rest", () =>
  inScene(async (scene) => {
    await scene.ledger.submit("bad");
    scene.beforeTelling = (rows) => {
      if (bodiesOf(rows).includes("bad")) throw new Refusal("broken constraint");
    };
    await scene.runAlarm();
    await scene.ledger.submit("good");
    await scene.runAlarm();
    expect(scene.told).toEqual(["good"]);
  }));

it("finds its way through hundreds of refused rows with a bounded number of calls an alarm", () =>
  inScene(async (scene) => {
    const words = Array.from({ length: 150 }, (_, position) => (position < 100 ? `bad ${position}` : `good ${position}`));
    await Promise.all(words.map((word) => scene.ledger.submit(word)));
    let calls = 0;
    scene.beforeTelling = (rows) => {
      calls += 1;
      if (bodiesOf(rows).some((body) => body.startsWith("bad"))) throw new Refusal("broken constraint");
    };
    for (let alarm = 0; alarm < 10 && scene.told.length < 50; alarm += 1) {
      calls = 0;
      await scene.runAlarm();
      expect(calls).toBeLessThan(200);
    }
    expect(scene.told).toEqual(words.slice(100));
  }));

it.each([
  ["in large pieces", false, 250],
  ["in small pieces what nobody waits for", true, 100],
])("works through a backlog larger than one alarm takes, losing nothing, %s", (_how, isUnhurried, most) =>
  inScene(async (scene) => {
    scene.isUnhurried = isUnhurried;
    const words = Array.from({ length: 2_500 }, (_, position) => `word ${position}`);
    await Promise.all(words.map((word) => scene.ledger.submit(word)));
    let largest = 0;
    scene.beforeTelling = (rows) => {
      largest = Math.max(largest, rows.length);
    };
    while (scene.alarm.atMs !== null) await scene.runAlarm();
    expect(scene.told).toEqual(words);
    expect(largest).toBe(most);
  }),
);

it("delivers although the work of the alarm fails, and does not try that work again at once", () =>
  inScene(async (scene) => {
    scene.workAtMs = scene.nowMs - 1;
    scene.work = () => {
      throw new Error("no luck");
    };
    await scene.ledger.submit("a");
    await scene.runAlarm();
    expect(scene.told).toEqual(["a"]);
    expect(scene.alarm.atMs).toBe(scene.nowMs + 300);
    await scene.runAlarm();
    expect(scene.alarm.atMs).toBe(scene.nowMs + 600);
    scene.work = () => {};
    await scene.runAlarm();
    expect(scene.alarm.atMs).toBe(scene.nowMs + 1);
  }));

it("puts the alarm forward, never back, when something is due sooner", () =>
  inScene(async (scene) => {
    scene.workAtMs = scene.nowMs + 60_000;
    scene.ledger.arm();
    expect(scene.alarm.atMs).toBe(scene.nowMs + 60_000);
    await scene.ledger.submit("a");
    expect(scene.alarm.atMs).toBe(scene.nowMs + 400);
    scene.nowMs += 100;
    await scene.ledger.submit("b");
    expect(scene.alarm.settings).toHaveLength(2);
  }));

it("arms an alarm for what a crash left untold, when the object is loaded next", () =>
  inScene(async (scene) => {
    await scene.ledger.submit("a");
    scene.alarm.atMs = null;
    const reloaded = scene.load();
    await scheduler.wait(0);
    await scene.runAlarm(reloaded);
    expect(scene.told).toEqual(["a"]);
  }));

it("takes an alarm that is half a minute late for lost", () =>
  inScene(async (scene) => {
    await scene.ledger.submit("a");
    scene.nowMs += 40_000;
    scene.ledger.arm();
    expect(scene.alarm.atMs).toBe(scene.nowMs + 400);
  }));

it("answers what it committed although the alarm could not be armed, and arms it with the next commit", () =>
  inScene(async (scene) => {
    scene.readNextWorkMs = () => {
      throw new Error("storage is away");
    };
    expect(await scene.ledger.submit("a")).toBe(true);
    scene.readNextWorkMs = () => undefined;
    await scene.ledger.submit("b");
    await scene.runAlarm();
    expect(scene.told).toEqual(["a", "b"]);
  }));
