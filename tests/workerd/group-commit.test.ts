import { expect, it } from "vitest";
import { GroupCommit } from "#durable-objects/group-commit";
import { inFreshStorage } from "../support/ledger-storage.ts";

/** A sum in memory and its rows in storage: what a rollback must bring back into step. */
class Sum {
  total = 0;
  commits = 0;
  groupSizes: number[] = [];
  armed = 0;
  reloadsToFail = 0;
  readonly storage: DurableObjectStorage;
  readonly commitsOf: GroupCommit<number, number>;

  constructor(storage: DurableObjectStorage) {
    this.storage = storage;
    storage.sql.exec("CREATE TABLE addends (value INTEGER NOT NULL CHECK (value < 1000))");
    const hooks = {
      apply: (values: readonly number[]) => this.#apply(values),
      reload: () => this.#reload(),
      committed: () => {
        this.armed += 1;
      },
    };
    this.commitsOf = new GroupCommit(storage, hooks, () => 0);
  }

  submit(value: number): Promise<number> {
    return this.commitsOf.submit(value);
  }

  stored(): number {
    return this.storage.sql.exec<{ total: number }>("SELECT COALESCE(SUM(value), 0) AS total FROM addends").one().total;
  }

  #apply(values: readonly number[]): number[] {
    this.commits += 1;
    this.groupSizes.push(values.length);
    return values.map((value) => {
      this.total += value;
      this.storage.sql.exec("INSERT INTO addends VALUES (?)", value);
      if (value === 13) throw new Error("thirteen, after its write");
      return this.total;
    });
  }

  #reload(): void {
    if (this.reloadsToFail > 0) {
      this.reloadsToFail -= 1;
      throw new Error("storage is away");
    }
    this.total = this.stored();
  }
}

it("answers the calls of one turn from one transaction, in their order", async () => {
  await inFreshStorage(async (storage) => {
    const sum = new Sum(storage);
    expect(await Promise.all([1, 2, 3].map((value) => sum.submit(value)))).toEqual([1, 3, 6]);
    expect(sum.groupSizes).toEqual([3]);
    expect(sum.armed).toBe(1);
  });
});

it("never answers before the commit", async () => {
  await inFreshStorage(async (storage) => {
    const sum = new Sum(storage);
    const storedAtAnswer = await Promise.all([4, 5].map((value) => sum.submit(value).then(() => sum.stored())));
    expect(storedAtAnswer).toEqual([9, 9]);
  });
});

it.each([
  ["throws after its write", 13],
  ["is refused by storage", 5_000],
])("lets a command that %s fail alone, with nothing of it left in storage or memory", async (_, poison) => {
  await inFreshStorage(async (storage) => {
    const sum = new Sum(storage);
    const answers = await Promise.allSettled([1, poison, 2].map((value) => sum.submit(value)));
    expect(answers.map((answer) => (answer.status === "fulfilled" ? answer.value : "failed"))).toEqual([1, "failed", 3]);
    expect([sum.total, sum.stored()]).toEqual([3, 3]);
    expect(await sum.submit(4)).toBe(7);
  });
});

it("decides nothing on counters that a rollback left wrong, until they could be loaded again", async () => {
  await inFreshStorage(async (storage) => {
    const sum = new Sum(storage);
    await sum.submit(1);
    sum.reloadsToFail = 2;
    await expect(sum.submit(13)).rejects.toThrow();
    await expect(sum.submit(2)).rejects.toThrow("storage is away");
    expect(await sum.submit(3)).toBe(4);
    expect(sum.stored()).toBe(4);
  });
});

it("bounds what one transaction carries, and still answers everyone in order", async () => {
  await inFreshStorage(async (storage) => {
    const sum = new Sum(storage);
    const answers = await Promise.all(Array.from({ length: 1_201 }, () => sum.submit(1)));
    expect(answers).toEqual(Array.from({ length: 1_201 }, (_, position) => position + 1));
    expect(sum.groupSizes).toEqual([500, 500, 201]);
  });
});
