import { DatabaseSync, type SQLInputValue, type StatementSync } from "node:sqlite";

/** A row as SQLite gives it: column names in order, with their values. */
export type Row = Record<string, unknown>;

/** What a statement came to. */
export interface StatementResult {
  readonly rows: readonly Row[];
  readonly changes: number;
}

interface Prepared {
  readonly statement: StatementSync;
  readonly givesRows: boolean;
  readonly writes: boolean;
}

/** A database in memory whose statements are prepared once. */
export class SqliteConnection {
  readonly #database = new DatabaseSync(":memory:", { enableForeignKeyConstraints: true });
  readonly #prepared = new Map<string, Prepared>();
  /** Statements that give each row as a list. */
  readonly #listing = new Map<string, StatementSync>();

  /** True for SQL that changes something; told by its first word. */
  static writes(sql: string): boolean {
    return !/^\s*(SELECT|WITH)\b/i.test(sql);
  }

  /** Runs a script of several statements, without bindings. */
  runScript(sql: string): void {
    this.#database.exec(sql);
  }

  /** Runs one statement. @throws what SQLite says, such as "UNIQUE constraint failed: …". */
  run(sql: string, bindings: readonly unknown[] = []): StatementResult {
    const { statement, givesRows, writes } = this.#prepare(sql);
    const values = bindings as readonly SQLInputValue[]; // what the platform binds, SQLite binds too
    if (givesRows) {
      const rows = statement.all(...values) as Row[]; // without named columns it would give arrays
      return { rows, changes: writes ? rows.length : 0 };
    }
    return { rows: [], changes: Number(statement.run(...values).changes) };
  }

  /** Runs one statement that gives rows; each is the list of its values, whatever the columns are called. */
  listValues(sql: string, bindings: readonly unknown[]): unknown[][] {
    const known = this.#listing.get(sql);
    const statement = known ?? this.#database.prepare(sql);
    if (!known) statement.setReturnArrays(true);
    this.#listing.set(sql, statement);
    return statement.all(...(bindings as readonly SQLInputValue[])) as unknown as unknown[][]; // as it was just told
  }

  /** Runs `work` as one transaction, or not at all. May be nested. */
  inTransaction<T>(work: () => T): T {
    this.run("SAVEPOINT simulated");
    try {
      const value = work();
      this.run("RELEASE simulated");
      return value;
    } catch (error) {
      this.run("ROLLBACK TO simulated");
      this.run("RELEASE simulated");
      throw error;
    }
  }

  close(): void {
    this.#database.close();
  }

  #prepare(sql: string): Prepared {
    const known = this.#prepared.get(sql);
    if (known) return known;
    const writes = SqliteConnection.writes(sql);
    const prepared = { statement: this.#database.prepare(sql), givesRows: !writes || /\bRETURNING\b/i.test(sql), writes };
    this.#prepared.set(sql, prepared);
    return prepared;
  }
}
