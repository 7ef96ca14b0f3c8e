import { describe, expect, it } from "vitest";
import { decideStrike, forgottenAtMs, type ClientRecord, type Violation } from "#domain/client-bans";
import { ClientGuard } from "#http/middleware/client-guard";
import type { Logger } from "#platform/logger";

const SECOND_MS = 1_000;
const MINUTE_MS = 60_000;
/** The start of a window. */
const START_MS = 1_700_000_000_000;

function strikeAt(times: readonly number[], violation: Violation = "refused", from?: ClientRecord): ClientRecord | undefined {
  return times.reduce<ClientRecord | undefined>((record, ms) => decideStrike(record, violation, ms), from);
}

const windows = (count: number, fromMs = START_MS): number[] =>
  Array.from({ length: count }, (_, at) => fromMs + at * 10 * SECOND_MS);

describe("a client is blocked", () => {
  it("at its fifth window with a refusal within ten minutes, for a minute, and not before", () => {
    expect(strikeAt(windows(4))?.blockedUntilMs).toBe(0);
    const fifthMs = windows(5).at(-1) ?? 0;
    expect(strikeAt(windows(5))).toMatchObject({ blockedUntilMs: fifthMs + MINUTE_MS, banCount: 1, strikesMs: [] });
  });

  it("never for one window, however many isolates tell of it", () => {
    const told = Array.from({ length: 50 }, (_, at) => START_MS + at * 199);
    expect(strikeAt(told)).toMatchObject({ blockedUntilMs: 0, strikesMs: [START_MS] });
  });

  it("in one window when it floods on although it was told to wait", () => {
    const told = strikeAt([START_MS]);
    const flooded = strikeAt([START_MS + 1, START_MS + 2, START_MS + 3, START_MS + 4], "flooding", told);
    expect(flooded?.blockedUntilMs).toBe(START_MS + 4 + MINUTE_MS);
  });

  it("never for strikes of ten minutes ago or more, and for those of a millisecond less", () => {
    const four = [0, 150, 300, 450].map((seconds) => START_MS + seconds * SECOND_MS);
    expect(strikeAt([...four, START_MS + 10 * MINUTE_MS - 1])).toMatchObject({ banCount: 1 });
    const spread = Array.from({ length: 40 }, (_, at) => START_MS + at * 150 * SECOND_MS);
    expect(strikeAt(spread)).toMatchObject({ blockedUntilMs: 0, banCount: 0 });
  });

  it("twice as long each time, an hour at most, and no longer for what it sends meanwhile", () => {
    let record: ClientRecord | undefined;
    let nowMs = START_MS;
    const minutes: number[] = [];
    for (let ban = 0; ban < 8; ban += 1) {
      record = strikeAt(windows(5, nowMs), "refused", record);
      const untilMs = record?.blockedUntilMs ?? 0;
      minutes.push((untilMs - (windows(5, nowMs).at(-1) ?? 0)) / MINUTE_MS);
      expect(strikeAt([untilMs - 1], "flooding", record)).toBe(record);
      nowMs = Math.ceil(untilMs / (10 * SECOND_MS)) * 10 * SECOND_MS;
    }
    expect(minutes).toEqual([1, 2, 4, 8, 16, 32, 60, 60]);
  });

  it("and is remembered for a day after its last strike or the end of its ban", () => {
    const strikesMs = [START_MS - 5, START_MS];
    expect(forgottenAtMs({ strikesMs, lastWindow: 0, blockedUntilMs: 0, banCount: 0 })).toBe(START_MS + 86_400_000);
    expect(forgottenAtMs({ strikesMs: [], lastWindow: 0, blockedUntilMs: START_MS, banCount: 1 })).toBe(START_MS + 86_400_000);
  });
});

interface Counted {
  readonly guard: ClientGuard;
  readonly strikes: string[];
  blockedUntilMs: number | null;
  isAway: boolean;
}

function makeGuard(): Counted {
  const ignore = (): void => undefined;
  const logger: Logger = { debug: ignore, info: ignore, warn: ignore, error: ignore, with: () => logger };
  const counted: Counted = {
    strikes: [],
    blockedUntilMs: null,
    isAway: false,
    guard: new ClientGuard({
      bans: (shard) => ({
        strike: async (client, violation) => {
          if (counted.isAway) throw new Error("the object is away");
          expect(client.startsWith(shard)).toBe(true);
          expect(client).toMatch(/^[0-9a-f]{64}$/);
          counted.strikes.push(violation);
          return counted.blockedUntilMs;
        },
      }),
      logger,
    }),
  };
  return counted;
}

describe("the object that counts strikes", () => {
  it("is never called for a client that keeps within its limits", () => {
    const counted = makeGuard();
    expect(counted.guard.blockedSeconds("somebody", START_MS)).toBeUndefined();
    expect(counted.strikes).toEqual([]);
  });

  it("hears of the first refusal in a window and of each hundredth, not of all of a flood", async () => {
    const counted = makeGuard();
    for (let refusal = 0; refusal < 250; refusal += 1) await counted.guard.noteRefusal("somebody", START_MS + refusal);
    expect(counted.strikes).toEqual(["refused", "flooding", "flooding"]);
    await counted.guard.noteRefusal("somebody", START_MS + 10 * SECOND_MS);
    expect(counted.strikes.at(-1)).toBe("refused");
  });

  it("is not asked again while a ban lasts, and the ban ends by itself", async () => {
    const counted = makeGuard();
    counted.blockedUntilMs = START_MS + 1_500;
    expect(await counted.guard.noteRefusal("somebody", START_MS)).toBe(2);
    expect(counted.guard.blockedSeconds("somebody", START_MS + 1_499)).toBe(1);
    expect(counted.guard.blockedSeconds("somebody else", START_MS)).toBeUndefined();
    expect(counted.guard.blockedSeconds("somebody", START_MS + 1_500)).toBeUndefined();
    expect(counted.strikes).toHaveLength(1);
  });

  it("blocks nobody while it is away", async () => {
    const counted = makeGuard();
    counted.isAway = true;
    expect(await counted.guard.noteRefusal("somebody", START_MS)).toBeUndefined();
    expect(counted.guard.blockedSeconds("somebody", START_MS)).toBeUndefined();
  });

  it("forgets the oldest of ten thousand clients in its isolate, so that a crowd of addresses cannot fill it", async () => {
    const counted = makeGuard();
    counted.blockedUntilMs = START_MS + MINUTE_MS;
    for (let client = 0; client <= 10_000; client += 1) await counted.guard.noteRefusal(`client ${client}`, START_MS);
    expect(counted.guard.blockedSeconds("client 0", START_MS)).toBeUndefined();
    expect(counted.guard.blockedSeconds("client 1", START_MS)).toBe(60);
    expect(counted.guard.blockedSeconds("client 10000", START_MS)).toBe(60);
  });
});
