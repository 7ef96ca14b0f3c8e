import { SqliteConnection, type Row } from "./sqlite-connection.ts";

/** A statement with its values, as it travels to D1. */
interface BoundStatement {
  readonly sql: string;
  readonly values: readonly unknown[];
}

interface D1Answer {
  readonly success: true;
  readonly results: readonly Row[];
  readonly meta: { readonly changes: number };
}

/** How a client's call reaches the database: it may be late, refused, or lost on either way. */
export type ReachD1 = <T>(work: () => T) => Promise<T>;

/** The D1 of a simulated world, on SQLite, with foreign keys on. */
export class D1Server {
  readonly connection = new SqliteConnection();

  /** Answers at once, for set-up and for checks. */
  run(sql: string, ...values: readonly unknown[]): readonly Row[] {
    return this.connection.run(sql, values).rows;
  }

  /** The binding that an object or the Worker is given. */
  open(reach: ReachD1): D1Database {
    const statement = (sql: string, values: readonly unknown[]): object => ({
      bound: { sql, values },
      bind: (...bound: unknown[]) => statement(sql, bound),
      run: () => reach(() => this.#answer({ sql, values })),
      all: () => reach(() => this.#answer({ sql, values })),
      raw: () => reach(() => this.connection.listValues(sql, values)),
      first: () => reach(() => this.#answer({ sql, values }).results[0] ?? null),
    });
    const database = {
      prepare: (sql: string) => statement(sql, []),
      batch: (statements: readonly { readonly bound: BoundStatement }[]) =>
        reach(() => this.connection.inTransaction(() => statements.map(({ bound }) => this.#answer(bound)))),
    };
    return database as unknown as D1Database; // all that the service uses of it
  }

  #answer({ sql, values }: BoundStatement): D1Answer {
    const { rows, changes } = this.connection.run(sql, values);
    return { success: true, results: rows, meta: { changes } };
  }
}
