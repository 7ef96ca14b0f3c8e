import { Instance, type CallUnderWay } from "./instance.ts";
import type { Network, Sender } from "./network.ts";
import { ObjectDisk } from "./object-storage.ts";
import { runAs } from "./simulated-time.ts";
import type { SqliteConnection } from "./sqlite-connection.ts";
import type { Surroundings } from "./surroundings.ts";

/** How long a flush takes at most, ms. */
const FLUSH_MS = 3;
/** How late an alarm is as a rule, and when it is late, ms. */
const ALARM_SLACK_MS = 20;
const ALARM_LATE_MS = 60_000;
/** When an alarm that fires twice does so again. */
const SECOND_ALARM_MS = 500;
/** A crash comes this long after a call or an alarm at most: between any two of the steps that follow. */
const CRASH_MS = 30;

/** What the host must know of a Durable Object class. */
export interface Hosted {
  alarm(): Promise<void>;
  /** What the cron calls: an alarm that was lost is set again. */
  wake(): Promise<void>;
}

/** The methods of a Durable Object, as another sees them. */
export type MethodName<T> = {
  [Name in keyof T]: T[Name] extends (...parameters: never[]) => Promise<unknown> ? Name : never;
}[keyof T];

/** What makes an instance of the class, and who reads what it has made durable. */
export interface HostOptions<T extends Hosted> {
  readonly name: string;
  readonly build: (state: DurableObjectState, life: Instance) => T;
  /** Called with each flush, right before it: what the database says now is the truth if the flush succeeds. */
  readonly onCommit: (database: SqliteConnection) => void;
}

/** One Durable Object: its disk, the instance that lives on it now, and what may happen to both. */
export class DurableHost<T extends Hosted> {
  readonly name: string;
  readonly disk = new ObjectDisk();
  readonly #world: Surroundings;
  readonly #network: Network;
  readonly #options: HostOptions<T>;
  #life: Instance | undefined;
  #object: T | undefined;
  /** Numbers the settings of the alarm: an older one that fires is ignored. */
  #alarmSetting = 0;

  constructor(world: Surroundings, network: Network, options: HostOptions<T>) {
    this.name = options.name;
    this.#world = world;
    this.#network = network;
    this.#options = options;
    this.disk.onDirty = () => this.#scheduleFlush();
  }

  /** Calls a method over the network. */
  call<Name extends MethodName<T>>(
    from: Sender,
    method: Name,
    parameters: T[Name] extends (...parameters: infer P) => unknown ? P : never,
    mayComeTwice = true,
  ): Promise<T[Name] extends (...parameters: never[]) => Promise<infer Answer> ? Answer : never> {
    const subject = `${this.name}.${String(method)}`;
    return this.#network.call({ from, subject, mayComeTwice }, (answer, fail) => {
      this.#receive(
        subject,
        (object) => {
          const bound = object[method] as unknown as (...given: readonly unknown[]) => Promise<never>; // MethodName says so
          return bound.apply(object, parameters);
        },
        answer,
        fail,
      );
    });
  }

  /** The instance dies with all that it had not made durable. */
  crash(): void {
    const life = this.#life;
    if (!life) return;
    this.#world.note(`✝ ${this.name}`);
    this.#life = undefined;
    this.#object = undefined;
    life.end("the object died");
    this.disk.forget();
    // An alarm that was not finished comes again.
    if (life.isAlarmRunning && this.disk.alarmMs !== null) this.#scheduleAlarm(this.disk.alarmMs);
  }

  #load(): { readonly life: Instance; readonly object: T } {
    if (this.#life && this.#object) return { life: this.#life, object: this.#object };
    const life = new Instance(this.name, this.#world.loop, this.disk);
    this.#life = life;
    const waitUntil = (work: Promise<unknown>): void =>
      void work.catch((error: unknown) => this.#world.noteError(this.name, error));
    const state = { storage: this.disk.open(), waitUntil } as unknown as DurableObjectState; // all that the objects use of it
    const object = runAs(life, () => this.#options.build(state, life));
    this.#object = object;
    return { life, object };
  }

  #receive(
    subject: string,
    work: (object: T) => Promise<never>,
    answer: (value: never) => void,
    fail: (reason: unknown) => void,
  ): void {
    const { life, object } = this.#load();
    const call: CallUnderWay = { lose: (why) => fail(new Error(`${subject}: ${why}`)) };
    life.underWay.add(call);
    this.#mayCrashSoon(life);
    const leave = (message: () => void): void =>
      life.send(() => {
        life.underWay.delete(call);
        message();
      });
    runAs(life, () => {
      work(object).then(
        (value) => leave(() => answer(value)),
        (error: unknown) => {
          this.#world.noteError(subject, error);
          leave(() => fail(error));
        },
      );
    });
  }

  #scheduleFlush(): void {
    const life = this.#life;
    this.#world.loop.after(this.#world.random.between(0, FLUSH_MS), life, () => {
      if (this.#world.isDue("crashAtFlush")) return this.crash();
      this.#options.onCommit(this.disk.database);
      if (this.disk.flush() && this.disk.alarmMs !== null) this.#scheduleAlarm(this.disk.alarmMs);
      if (this.#world.isDue("crashAtFlush")) return this.crash();
      this.disk.tellFlushed();
      life?.letOut();
    });
  }

  #scheduleAlarm(atMs: number): void {
    this.#alarmSetting += 1;
    const setting = this.#alarmSetting;
    const { loop, random } = this.#world;
    const lateMs = random.between(0, this.#world.isDue("alarmLate") ? ALARM_LATE_MS : ALARM_SLACK_MS);
    const fire = (): void => {
      if (setting !== this.#alarmSetting) return;
      if (this.#life?.isAlarmRunning) loop.after(ALARM_SLACK_MS, undefined, fire);
      else this.#fireAlarm();
    };
    loop.after(atMs - loop.nowMs + lateMs, undefined, fire);
  }

  #fireAlarm(): void {
    if (this.#world.isDue("alarmNever")) {
      this.#world.note(`${this.name}: the alarm is lost`);
      this.disk.dropAlarm();
      return;
    }
    this.#runAlarm();
    if (this.#world.isDue("alarmTwice")) this.#world.loop.after(SECOND_ALARM_MS, undefined, () => this.#runAlarm());
  }

  /** Runs the alarm's work, set or not; the platform never runs two at once. */
  #runAlarm(): void {
    const { life, object } = this.#load();
    if (life.isAlarmRunning) return;
    this.#world.count("alarm");
    this.#world.note(`${this.name}: alarm`);
    this.#mayCrashSoon(life);
    life.isAlarmRunning = true;
    this.disk.beginAlarm();
    const end = (again: boolean): void => {
      life.isAlarmRunning = false;
      if (!again) this.disk.endAlarm();
      else if (this.disk.alarmMs !== null) this.#scheduleAlarm(this.disk.alarmMs);
    };
    runAs(life, () => {
      object.alarm().then(
        () => life.send(() => end(false)),
        (error: unknown) => {
          this.#world.noteError(`${this.name}: alarm`, error);
          life.send(() => end(true));
        },
      );
    });
  }

  #mayCrashSoon(life: Instance): void {
    if (!this.#world.isDue("crash")) return;
    this.#world.loop.after(this.#world.random.between(0, CRASH_MS), life, () => this.crash());
  }
}
