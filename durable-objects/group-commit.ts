/** A command waiting for the next commit, and whom to tell. */
interface Waiting<Command, Outcome> {
  readonly command: Command;
  readonly resolve: (outcome: Outcome) => void;
  readonly reject: (reason: unknown) => void;
}

/** Commands of one commit at most: a bound on what one transaction writes, and on how long it holds up everyone else. */
const LARGEST_GROUP = 500;

/** What a Durable Object gives its group commit. */
export interface GroupCommitHooks<Command, Outcome> {
  /**
   * Decides the commands in order and writes their changes; runs inside one transaction and must not await.
   * @returns one outcome per command, by position.
   */
  apply(commands: readonly Command[], nowMs: number): readonly Outcome[];
  /** Called after a rollback: forget every counter held in memory and load it again from storage. */
  reload(): void;
  /** Called after each group, also one that was tried one by one: arm the alarm here, never at the call. Must not throw. */
  committed(): void;
}

/**
 * Lets the calls that arrive while earlier writes are on their way to disk share one transaction, so one fsync; each is
 * answered after it. An idle object commits at once. (A timer in place of `sync` cost 160 µs of CPU each time it fired.)
 *
 * A command that throws fails alone: the group is rolled back and its commands are tried again one by one. No outcome
 * is given before its transaction has committed, so nothing acknowledged lives only in memory (docs/adr/0002).
 */
export class GroupCommit<Command, Outcome> {
  #waiting: Waiting<Command, Outcome>[] = [];
  #scheduled = false;
  /** The counters in memory may hold what was rolled back: load them before anything is decided on them. */
  #stale = false;
  readonly #storage: DurableObjectStorage;
  readonly #hooks: GroupCommitHooks<Command, Outcome>;
  readonly #nowMs: () => number;

  constructor(storage: DurableObjectStorage, hooks: GroupCommitHooks<Command, Outcome>, nowMs: () => number) {
    this.#storage = storage;
    this.#hooks = hooks;
    this.#nowMs = nowMs;
  }

  /** Resolves with the command's outcome once its group is committed; rejects if the command itself cannot be applied. */
  submit(command: Command): Promise<Outcome> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ command, resolve, reject });
      this.#schedule();
    });
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    // Should the earlier writes fail, the runtime resets the object; until then there is nothing better than to go on.
    const commit = (): void => this.#commitWaiting();
    void this.#storage.sync().then(commit, commit);
  }

  #commitWaiting(): void {
    this.#scheduled = false;
    const group = this.#waiting.splice(0, LARGEST_GROUP);
    if (this.#waiting.length > 0) this.#schedule();
    this.#commitOrSplit(group);
    this.#hooks.committed();
  }

  #commitOrSplit(group: readonly Waiting<Command, Outcome>[]): void {
    let outcomes: readonly Outcome[];
    try {
      outcomes = this.#commit(group);
    } catch (error) {
      const [only] = group;
      if (group.length === 1 && only) only.reject(error);
      else for (const waiting of group) this.#commitOrSplit([waiting]);
      return;
    }
    for (const [position, waiting] of group.entries()) {
      const outcome = outcomes[position];
      if (outcome === undefined) waiting.reject(new Error("broken invariant: a commit gave fewer outcomes than commands"));
      else waiting.resolve(outcome);
    }
  }

  #commit(group: readonly Waiting<Command, Outcome>[]): readonly Outcome[] {
    if (this.#stale) this.#reload();
    try {
      return this.#storage.transactionSync(() =>
        this.#hooks.apply(
          group.map((waiting) => waiting.command),
          this.#nowMs(),
        ),
      );
    } catch (error) {
      this.#reload();
      throw error;
    }
  }

  #reload(): void {
    this.#stale = true;
    this.#hooks.reload();
    this.#stale = false;
  }
}
