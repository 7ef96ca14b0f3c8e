/**
 * How a client broke a rate limit: `refused` in a window for the first time, or `flooding`, refused many times more although it
 * had been told to wait.
 */
export type Violation = "refused" | "flooding";

/** What is remembered of a client that broke limits. Times are Unix milliseconds. */
export interface ClientRecord {
  /** Strikes that count towards the next ban, oldest first; each is half-open: it counts for {@link STRIKE_COUNTS_MS}. */
  readonly strikesMs: readonly number[];
  /** The window in which the last refusal was counted: many isolates tell of the same one. */
  readonly lastWindow: number;
  /** The client is blocked while `nowMs < blockedUntilMs`; 0 for one that never was. */
  readonly blockedUntilMs: number;
  readonly banCount: number;
}

/** The methods of the Durable Object `ClientBans`. */
export interface ClientBansPort {
  /**
   * Counts a violation of a client, durably.
   * @param client a hash, never an address or a user.
   * @returns until when the client is blocked, Unix milliseconds; null when it is not.
   */
  strike(client: string, violation: Violation): Promise<number | null>;
}

/** The windows that rate limits count in. */
export const WINDOW_MS = 10_000;
const STRIKES_TO_BAN = 5;
const STRIKE_COUNTS_MS = 10 * 60_000;
const FIRST_BAN_MS = 60_000;
const LONGEST_BAN_MS = 60 * 60_000;
const REMEMBERED_MS = 24 * 60 * 60_000;

const STRANGER: ClientRecord = { strikesMs: [], lastWindow: -1, blockedUntilMs: 0, banCount: 0 };

/**
 * Decides what a violation does. The fifth strike within ten minutes blocks the client: for a minute, and each further time
 * twice as long, an hour at most. A refusal is one strike for its window, whoever tells of it how often; each flooding is one.
 * @returns the same record when nothing changes: the client is blocked already, or the window has its strike.
 */
export function decideStrike(record: ClientRecord = STRANGER, violation: Violation, nowMs: number): ClientRecord {
  const window = Math.floor(nowMs / WINDOW_MS);
  if (nowMs < record.blockedUntilMs) return record;
  if (violation === "refused" && window === record.lastWindow) return record;
  const lastWindow = violation === "refused" ? window : record.lastWindow;
  const strikesMs = [...record.strikesMs.filter((strikeMs) => nowMs - strikeMs < STRIKE_COUNTS_MS), nowMs];
  if (strikesMs.length < STRIKES_TO_BAN) return { ...record, lastWindow, strikesMs };
  const banMs = Math.min(LONGEST_BAN_MS, FIRST_BAN_MS * 2 ** record.banCount);
  return { lastWindow, strikesMs: [], blockedUntilMs: nowMs + banMs, banCount: record.banCount + 1 };
}

/** When the client is a stranger again: a day after its last strike or the end of its last ban. Unix milliseconds. */
export function forgottenAtMs({ strikesMs, blockedUntilMs }: ClientRecord): number {
  return Math.max(strikesMs.at(-1) ?? 0, blockedUntilMs) + REMEMBERED_MS;
}
