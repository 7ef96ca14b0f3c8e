import type { Backlog } from "#domain/upkeep-messages";
import type { Logger } from "#platform/logger";
import { answerWithin } from "#platform/wait-at-most";
import { GroupCommit } from "./group-commit.ts";
import { Outbox, type Emit, type OutboxMessage, type OutboxRow } from "./outbox.ts";

/** Rows of one delivery. Small, because on a shared thread a flush of a thousand rows delays everyone else by 250 ms. */
const DELIVERY_ROWS = 250;
/** Rows of one delivery that nobody waits for. */
const UNHURRIED_ROWS = 100;
/**
 * How long work that nobody waits for rests after each piece. A yield alone lets through what waits already; who comes a moment later
 * would meet the next piece, and as long as the work lasts it would take all that is left of thread and disk.
 */
export const UNHURRIED_REST_MS = 20;
/** Deliveries of one alarm before it makes way and arms the next. */
const DELIVERIES_PER_ALARM = 10;
/** Rows set aside by one alarm: finding each costs several calls, and an invocation may only make so many. */
const REFUSALS_PER_ALARM = 20;
/**
 * How long a change waits for company before it is delivered. A delivery costs a D1 transaction whatever it carries; with a
 * wait of 150 ms the same sale took a fifth more CPU. The projection must stay within a second.
 */
const DELIVERY_DELAY_MS = 400;
/**
 * A delivery without an answer for this long has failed: nothing else that time brings would happen meanwhile, and after 15 minutes
 * the platform would reset the object with its calls. D1 gives up what takes 30 s; a delivery may be several trips.
 */
const LONGEST_DELIVERY_MS = 60_000;
/** How long to wait after a first failure. */
const FIRST_BACKOFF_MS = 150;
const LONGEST_BACKOFF_MS = 30_000;
/** An alarm this late is taken for lost and armed again. */
const ALARM_LOST_AFTER_MS = 30_000;

/** How long to wait after so many failures in a row. */
function delayAfter(failures: number): number {
  return failures === 0 ? DELIVERY_DELAY_MS : Math.min(LONGEST_BACKOFF_MS, FIRST_BACKOFF_MS * 2 ** failures);
}

/** What a Durable Object gives its ledger. */
export interface LedgerHooks<Command, Outcome> {
  /**
   * Decides the commands in order and writes their changes; runs in one transaction and must not await. What the rest of
   * the world must hear is passed to `emit` and stored in the same transaction.
   */
  apply(commands: readonly Command[], nowMs: number, emit: Emit): readonly Outcome[];
  /** Called after a rollback: load every counter held in memory again from storage. */
  reload(): void;
  /**
   * Tells the world. May be called again with the same rows, even while an earlier call that took too long goes on; must throw
   * when nothing or not all could be told. Rows are at most {@link DELIVERY_ROWS}, in order.
   */
  deliver(rows: readonly OutboxRow[]): Promise<void>;
  /** True while there is much to tell that nobody waits for: it is told in smaller pieces, to hold up others less. */
  isUnhurried?(): boolean;
  /** True when the error is about the rows themselves (a broken constraint, a value too big), not about a receiver that is down. */
  isRefusal(error: unknown): boolean;
  /** Work that time brings (expiry, retries, clean-up), a bounded piece at a time; runs in the alarm. */
  onAlarm(nowMs: number): Promise<void>;
  /** When `onAlarm` next has work, Unix milliseconds; undefined when never. */
  nextWorkMs(): number | undefined;
}

/**
 * The shared floor of the service's Durable Objects: group commit, outbox, and the one alarm that serves delivery and
 * whatever else time brings. The alarm catches everything and re-arms last, at least 1 ms ahead (docs/adr/0002).
 */
export class DurableLedger<Command, Outcome> {
  readonly #storage: DurableObjectStorage;
  readonly #hooks: LedgerHooks<Command, Outcome>;
  readonly #commits: GroupCommit<Command, Outcome>;
  readonly #outbox: Outbox;
  readonly #logger: Logger;
  readonly #readClockMs: () => number;
  #armedForMs: number | undefined;
  /** Deliveries, and pieces of alarm work, that failed in a row. */
  #failures = 0;
  #workFailures = 0;
  #refusalsLeft = REFUSALS_PER_ALARM;

  constructor(storage: DurableObjectStorage, hooks: LedgerHooks<Command, Outcome>, logger: Logger, readClockMs: () => number) {
    this.#storage = storage;
    this.#hooks = hooks;
    this.#outbox = new Outbox(storage.sql);
    this.#logger = logger;
    this.#readClockMs = readClockMs;
    const apply = (commands: readonly Command[], nowMs: number): readonly Outcome[] => {
      const messages: OutboxMessage[] = [];
      const outcomes = hooks.apply(commands, nowMs, (message) => messages.push(message));
      this.#outbox.append(messages);
      return outcomes;
    };
    this.#commits = new GroupCommit(
      storage,
      { apply, reload: () => hooks.reload(), committed: () => this.#armOrLog() },
      readClockMs,
    );
    void this.#resume();
  }

  /** Decides and stores a command with whatever else arrives while earlier writes are on their way to disk; resolves once it is durable. */
  submit(command: Command): Promise<Outcome> {
    return this.#commits.submit(command);
  }

  /**
   * Makes sure an alarm fires when there is work. Call after a commit, never before it: a delivery that ends in between
   * would find the outbox empty, and the rows written a moment later would have no alarm.
   */
  arm(): void {
    const nowMs = this.#readClockMs();
    if (this.#armedForMs !== undefined && this.#armedForMs > nowMs && this.#armedForMs <= nowMs + DELIVERY_DELAY_MS) return;
    const deliveryMs = Math.max(this.#outbox.nextDueMs() ?? Infinity, nowMs + delayAfter(this.#failures));
    const workDelayMs = this.#workFailures === 0 ? 1 : delayAfter(this.#workFailures);
    const workMs = Math.max(this.#hooks.nextWorkMs() ?? Infinity, nowMs + workDelayMs);
    const atMs = Math.min(deliveryMs, workMs);
    if (atMs === Infinity) return;
    const armed = this.#armedForMs;
    if (armed !== undefined && armed <= atMs && armed > nowMs - ALARM_LOST_AFTER_MS) return;
    this.#armedForMs = atMs;
    void this.#storage.setAlarm(atMs);
  }

  /** Arms the alarm again if there is work and the platform has lost it. */
  async wake(): Promise<void> {
    if ((await this.#storage.getAlarm()) === null) this.#armedForMs = undefined;
    this.#armOrLog();
  }

  /**
   * What was decided and not told yet.
   * @param readAtMs when the change that a message tells of was made, if it says so.
   */
  measureBacklog(readAtMs: (row: OutboxRow) => number | null): Backlog {
    const { waitingCount, refusedCount, oldest } = this.#outbox.measure();
    return { waitingCount, refusedCount, oldestAtMs: oldest ? readAtMs(oldest) : null };
  }

  /** What is committed is committed: a failure to arm must not look like a failure of the commands. */
  #armOrLog(): void {
    try {
      this.arm();
    } catch (error) {
      this.#armedForMs = undefined;
      this.#logger.error("the alarm was not armed", { error });
    }
  }

  /**
   * Arms an alarm for what waits from before, if none is set: a crash between commit and alarm, or an alarm that the platform
   * gave up on, is made good by whatever call loads the object next.
   */
  async #resume(): Promise<void> {
    const armedForMs = await this.#storage.getAlarm();
    this.#armedForMs ??= armedForMs ?? undefined;
    this.#armOrLog();
  }

  /**
   * The object's `alarm()`. Catches everything, because an alarm that fails seven times is gone; only when the next one cannot
   * be armed does it throw, so that the platform tries this one again.
   */
  async alarm(): Promise<void> {
    this.#armedForMs = undefined;
    try {
      await this.#hooks.onAlarm(this.#readClockMs());
      this.#workFailures = 0;
    } catch (error) {
      this.#workFailures += 1;
      this.#logger.error("alarm work failed, will be tried again", { error, failures: this.#workFailures });
    }
    try {
      await this.#deliverDue();
      this.#failures = 0;
    } catch (error) {
      this.#failures += 1;
      this.#logger.warn("delivery failed, will be tried again", { error, failures: this.#failures });
    }
    this.#armedForMs = undefined;
    this.arm();
  }

  async #deliverDue(): Promise<void> {
    this.#refusalsLeft = REFUSALS_PER_ALARM;
    const isUnhurried = this.#hooks.isUnhurried?.() ?? false;
    const most = isUnhurried ? UNHURRIED_ROWS : DELIVERY_ROWS;
    for (let delivery = 0; delivery < DELIVERIES_PER_ALARM && this.#refusalsLeft > 0; delivery += 1) {
      const rows = this.#outbox.listDue(this.#readClockMs(), most);
      if (rows.length === 0) return;
      await this.#deliverOrSetAside(rows);
      // What came in the meantime waits for company: told at once, it would be a D1 transaction for a few rows, again and again.
      if (rows.length < most) return;
      await scheduler.wait(isUnhurried ? UNHURRIED_REST_MS : 0);
    }
  }

  /**
   * Halves a refused delivery until the refused row stands alone, and lets only that one rest. Rows that it did not come to
   * stay for the next alarm.
   */
  async #deliverOrSetAside(rows: readonly OutboxRow[]): Promise<void> {
    if (this.#refusalsLeft === 0) return;
    try {
      await answerWithin("delivery", this.#hooks.deliver(rows), LONGEST_DELIVERY_MS);
      this.#outbox.remove(rows);
      return;
    } catch (error) {
      if (!this.#hooks.isRefusal(error)) throw error;
      const [first] = rows;
      if (rows.length === 1 && first) {
        this.#refusalsLeft -= 1;
        const attempts = this.#outbox.setAside(first, this.#readClockMs());
        this.#logger.error("a row was refused and set aside", {
          alert: "outbox_row_refused",
          topic: first.topic,
          seq: first.seq,
          attempts,
          error,
        });
        return;
      }
    }
    const middle = Math.ceil(rows.length / 2);
    await this.#deliverOrSetAside(rows.slice(0, middle));
    await this.#deliverOrSetAside(rows.slice(middle));
  }
}
