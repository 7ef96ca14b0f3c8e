import type { EventLoop } from "./event-loop.ts";
import { drawFaultPlan, NO_FAULTS, type FaultPlan } from "./fault-plan.ts";
import type { Random } from "./random.ts";
import { SimulationFailure, Trace } from "./trace.ts";

/** What is counted: what buyers, providers, the organiser and the clock ask for, and what goes wrong. */
export type OperationKind = "request" | "webhook" | "organiser" | "alarm" | "mint" | "fault";

/** What every part of a simulated world shares: its time, its chance, its faults, its trace, and the first thing found wrong. */
export class Surroundings {
  readonly seed: number;
  readonly random: Random;
  readonly loop: EventLoop;
  readonly trace = new Trace();
  /** How often each thing happened that a simulation is there to see: a world in which little did proves little. */
  readonly happened = new Map<string, number>();
  readonly counts: Record<OperationKind, number> = { request: 0, webhook: 0, organiser: 0, alarm: 0, mint: 0, fault: 0 };
  #faults: FaultPlan;
  #failure: SimulationFailure | undefined;

  constructor(seed: number, random: Random, loop: EventLoop) {
    this.seed = seed;
    this.random = random;
    this.loop = loop;
    this.#faults = drawFaultPlan(random);
  }

  get operations(): number {
    return Object.values(this.counts).reduce((sum, count) => sum + count, 0);
  }

  get failure(): SimulationFailure | undefined {
    return this.#failure;
  }

  /** From now on nothing goes wrong: what was promised must now come true. */
  calmDown(): void {
    this.#faults = NO_FAULTS;
  }

  /** Draws whether this fault happens now, and counts it. */
  isDue(fault: keyof FaultPlan): boolean {
    const happens = this.random.chance(this.#faults[fault]);
    if (happens) {
      this.counts.fault += 1;
      this.saw(`fault ${fault}`);
    }
    return happens;
  }

  /** Something worth counting happened. */
  saw(what: string): void {
    this.happened.set(what, (this.happened.get(what) ?? 0) + 1);
  }

  count(kind: OperationKind): void {
    this.counts[kind] += 1;
  }

  /** @param detail JSON of what it is about. */
  note(line: string, detail?: string): void {
    this.trace.note(`${this.loop.nowMs} ${line}`, detail);
  }

  /** Something is wrong. The first finding counts; the run ends with this event. */
  fail(what: string): void {
    this.note(`WRONG: ${what}`);
    this.#failure ??= new SimulationFailure(what, this.seed, this.operations, this.trace.listLast());
  }

  /** Says what is wrong unless `condition` holds. */
  require(condition: boolean, what: () => string): void {
    if (!condition) this.fail(what());
  }

  /** Whatever an object says went wrong is the world's doing, unless an assertion of its own failed. */
  noteError(who: string, error: unknown): void {
    const text = error instanceof Error ? error.message : String(error);
    this.note(`${who}: ${text}`);
    if (/broken invariant|is not a function|undefined \(reading|Cannot access|syntax error/.test(text))
      this.fail(`${who}: ${text}`);
  }
}
