import { SqliteConnection, type Row } from "./sqlite-connection.ts";

/** A statement's rows as `SqlStorage.exec` gives them, as far as the service reads them. */
class Cursor {
  readonly rowsRead: number;
  readonly rowsWritten: number;
  readonly #rows: readonly Row[];

  constructor(rows: readonly Row[], changes: number) {
    this.#rows = rows;
    this.rowsRead = rows.length;
    this.rowsWritten = changes;
  }

  toArray(): Row[] {
    return [...this.#rows];
  }

  one(): Row {
    const [row] = this.#rows;
    if (row === undefined || this.#rows.length > 1) throw new Error(`expected one row, found ${this.#rows.length}`);
    return row;
  }

  raw(): IterableIterator<unknown[]> {
    return this.#rows.map((row) => Object.values(row)).values();
  }

  [Symbol.iterator](): IterableIterator<Row> {
    return this.#rows.values();
  }
}

/**
 * What outlives the instances of one object: its SQLite and its alarm. Writes are gathered in one open transaction, as the
 * platform gathers them, until {@link flush} makes them durable; {@link forget} is what a crash does to them.
 */
export class ObjectDisk {
  readonly database = new SqliteConnection();
  /** When the alarm is set for, as durable as the rest. */
  alarmMs: number | null = null;
  /** What the living instance set it to since the last flush; undefined when it did not. */
  #alarmSetMs: number | null | undefined;
  /** While the alarm runs, its instance sees none set; it counts as set until it has ended. */
  #isAlarmHidden = false;
  #isDirty = false;
  /** Told when something is there to be flushed. */
  onDirty: () => void = () => undefined;
  #flushed: (() => void)[] = [];

  get isDirty(): boolean {
    return this.#isDirty;
  }

  /** Makes durable what was written. @returns whether the alarm was set. */
  flush(): boolean {
    if (this.#isDirty) this.database.run("COMMIT");
    this.#isDirty = false;
    const isAlarmSet = this.#alarmSetMs !== undefined;
    if (this.#alarmSetMs !== undefined) {
      this.alarmMs = this.#alarmSetMs;
      this.#isAlarmHidden = false;
    }
    this.#alarmSetMs = undefined;
    return isAlarmSet;
  }

  /** Lets whoever waits for the flush go on. */
  tellFlushed(): void {
    for (const resolve of this.#flushed.splice(0)) resolve();
  }

  /** Loses what was not flushed. */
  forget(): void {
    if (this.#isDirty) this.database.run("ROLLBACK");
    this.#isDirty = false;
    this.#alarmSetMs = undefined;
    this.#isAlarmHidden = false;
    this.#flushed = [];
  }

  /** The alarm is about to run. */
  beginAlarm(): void {
    this.#isAlarmHidden = true;
  }

  /** The alarm has done its work; if it was not set anew meanwhile, none is set. */
  endAlarm(): void {
    if (this.#isAlarmHidden) this.dropAlarm();
  }

  /** The alarm is gone, done or lost. */
  dropAlarm(): void {
    this.alarmMs = null;
    this.#isAlarmHidden = false;
  }

  /** The storage that an instance is given. */
  open(): DurableObjectStorage {
    const exec = (sql: string, ...bindings: unknown[]): Cursor => {
      if (SqliteConnection.writes(sql)) this.#begin();
      if (bindings.length === 0 && sql.includes(";")) {
        this.database.runScript(sql);
        return new Cursor([], 0);
      }
      const { rows, changes } = this.database.run(sql, bindings);
      return new Cursor(rows, changes);
    };
    const storage = {
      sql: { exec },
      transactionSync: <T>(closure: () => T): T => {
        this.#begin();
        return this.database.inTransaction(closure);
      },
      getAlarm: async (): Promise<number | null> => {
        if (this.#alarmSetMs !== undefined) return this.#alarmSetMs;
        return this.#isAlarmHidden ? null : this.alarmMs;
      },
      setAlarm: async (atMs: number): Promise<void> => {
        this.#begin();
        this.#alarmSetMs = atMs;
      },
      deleteAlarm: async (): Promise<void> => {
        this.#begin();
        this.#alarmSetMs = null;
      },
      sync: (): Promise<void> =>
        new Promise((resolve) => {
          this.#flushed.push(resolve);
          this.#begin();
        }),
    };
    return storage as unknown as DurableObjectStorage; // all that the objects use of it
  }

  #begin(): void {
    if (this.#isDirty) return;
    this.#isDirty = true;
    this.database.run("BEGIN");
    this.onDirty();
  }
}
