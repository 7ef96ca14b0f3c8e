import type { Random } from "./random.ts";

/** How likely each thing is to go wrong. Each world draws its own, so some are calm and some are hard in one way only. */
export interface FaultPlan {
  /** That a message is lost on its way there; that the answer is lost on its way back. */
  readonly loseRequest: number;
  readonly loseReply: number;
  /** That a call of an object is never answered and never fails, done or not. */
  readonly neverAnswer: number;
  /** That a message comes a second time, later. */
  readonly duplicate: number;
  /** That a message takes seconds. */
  readonly slow: number;
  /** That an object dies at the end of an event of its own, just before a flush, and between a flush and what it lets out. */
  readonly crash: number;
  readonly crashAtFlush: number;
  /** That an alarm is late by seconds, fires twice, never fires. */
  readonly alarmLate: number;
  readonly alarmTwice: number;
  readonly alarmNever: number;
  /** That D1 goes away, for seconds or minutes, asked once a second; then the queue, the provider. */
  readonly d1Outage: number;
  readonly queueOutage: number;
  /** That the queue takes a message and loses it. */
  readonly loseQueued: number;
  readonly providerOutage: number;
}

/** Nothing goes wrong. */
export const NO_FAULTS: FaultPlan = {
  loseRequest: 0,
  loseReply: 0,
  neverAnswer: 0,
  duplicate: 0,
  slow: 0,
  crash: 0,
  crashAtFlush: 0,
  alarmLate: 0,
  alarmTwice: 0,
  alarmNever: 0,
  d1Outage: 0,
  queueOutage: 0,
  loseQueued: 0,
  providerOutage: 0,
};

const WORST: FaultPlan = {
  loseRequest: 0.05,
  loseReply: 0.05,
  neverAnswer: 0.01,
  duplicate: 0.1,
  slow: 0.05,
  crash: 0.01,
  crashAtFlush: 0.02,
  alarmLate: 0.3,
  alarmTwice: 0.2,
  alarmNever: 0.1,
  d1Outage: 0.06,
  queueOutage: 0.04,
  loseQueued: 0.02,
  providerOutage: 0.04,
};

/** Draws a plan: each fault is absent in a third of the worlds, and else up to its worst. */
export function drawFaultPlan(random: Random): FaultPlan {
  const names = Object.keys(WORST) as (keyof FaultPlan)[]; // the keys of the object above
  const drawn = names.map((name) => [name, random.chance(1 / 3) ? 0 : WORST[name] * random.next()] as const);
  return { ...NO_FAULTS, ...Object.fromEntries(drawn) };
}
