import type { InventoryConfig } from "#domain/inventory-messages";
import type { LineStatus } from "#domain/inventory";
import type { ReservationNews } from "#storage/reservations";
import { Heap } from "./heap.ts";

/** A reservation as the history tells of it. `hasLapsed`: its time has passed, whether or not that was reported. */
interface ModelLine {
  readonly quantity: number;
  readonly userId: string;
  readonly heldAtMs: number;
  readonly expiresAtMs: number;
  status: LineStatus;
  hasLapsed: boolean;
  orderId: string | null;
  restocked: number;
}

/** Says what is wrong. */
export type Report = (what: string) => void;

/**
 * The sequential model of one inventory: it reads the history, one change at a time in the order of `seq`, with the plainest
 * arithmetic there is, and says when a change was not allowed where it stands. It shares no code with the inventory.
 */
export class StockModel {
  readonly lines = new Map<string, ModelLine>();
  /** Every row of the history, as D1 must have it in the end. */
  readonly history: string[] = [];
  soldCount = 0;
  heldCount = 0;
  #clockMs = 0;
  readonly #expiries = new Heap<ModelLine>((one, other) => one.expiresAtMs < other.expiresAtMs);
  readonly #linesOfUser = new Map<string, ModelLine[]>();
  /** The configuration, and the one before while a commit may hold changes of both. */
  #configs: readonly InventoryConfig[] = [];
  /** Every hold time it was configured with, seconds. */
  readonly holdTimes = new Set<number>();
  readonly #report: Report;

  constructor(report: Report) {
    this.#report = report;
  }

  get config(): InventoryConfig | undefined {
    return this.#configs.at(-1);
  }

  /** Takes in one commit: the configuration after it, the changes in it, and when it was decided. */
  apply(config: InventoryConfig, changes: readonly ReservationNews[], atMs: number): void {
    const before = this.config;
    this.#configs = before === undefined ? [config] : [before, config];
    this.holdTimes.add(config.reservationTtlSeconds);
    for (const change of changes) this.#applyChange(change);
    this.#passTime(atMs);
    this.#configs = [config];
    this.#requireConserved("after a commit");
  }

  #applyChange(change: ReservationNews): void {
    const { seq, reservationId, atMs, status, cause, changedQuantity, actor } = change;
    const what = `change ${seq} (${cause}, reservation ${reservationId})`;
    const wrong = (why: string): void => this.#report(`${what}: ${why}`);
    if (seq !== this.history.length + 1) wrong(`the change before it is ${this.history.length}`);
    if (atMs < this.#clockMs) wrong("time ran backwards");
    this.history.push(JSON.stringify([seq, reservationId, status, changedQuantity, actor, cause, atMs]));
    this.#passTime(atMs);
    const line = this.lines.get(reservationId);
    if (status === "ACTIVE") this.#hold(change, line, wrong);
    else if (line === undefined) wrong("nothing is known of this reservation");
    else this.#move(line, change, wrong);
    this.#requireConserved(what);
  }

  #passTime(atMs: number): void {
    this.#clockMs = Math.max(this.#clockMs, atMs);
    for (let next = this.#expiries.peek(); next && next.expiresAtMs <= this.#clockMs; next = this.#expiries.peek()) {
      this.#expiries.pop();
      next.hasLapsed = true;
      if (next.status === "ACTIVE") this.heldCount -= next.quantity;
    }
  }

  #hold(change: ReservationNews, known: ModelLine | undefined, wrong: Report): void {
    const { reservationId, userId, quantity, expiresAtMs, atMs } = change;
    if (known) wrong("it was held before");
    if (!this.#configs.some((config) => isHoldTime(config, expiresAtMs - atMs))) wrong("a wrong hold time");
    if (!this.#configs.some((config) => config.status === "ACTIVE")) wrong("held off sale");
    if (!this.#configs.some((config) => quantity >= config.minPerOrder && quantity <= config.maxPerOrder))
      wrong("a wrong quantity");
    const line: ModelLine = {
      quantity,
      userId,
      heldAtMs: atMs,
      expiresAtMs,
      status: "ACTIVE",
      hasLapsed: false,
      orderId: null,
      restocked: 0,
    };
    this.lines.set(reservationId, line);
    const ofUser = [...(this.#linesOfUser.get(userId) ?? []), line];
    this.#linesOfUser.set(userId, ofUser);
    this.#expiries.push(line);
    this.heldCount += quantity;
    const ofUserCount = ofUser.reduce((sum, own) => sum + countOwned(own), 0);
    const most = Math.max(...this.#configs.map((config) => config.maxPerUser ?? Number.POSITIVE_INFINITY));
    if (ofUserCount > most) wrong(`the user has ${ofUserCount} of at most ${most}`);
  }

  #move(line: ModelLine, change: ReservationNews, wrong: Report): void {
    const isLive = line.status === "ACTIVE" && !line.hasLapsed;
    const { status, cause, changedQuantity, orderId } = change;
    if (change.quantity !== line.quantity) wrong("the quantity is another");
    if (status === "COMPLETED" && line.status === "COMPLETED") {
      line.restocked += changedQuantity;
      this.soldCount -= changedQuantity;
      if (line.restocked > line.quantity) wrong("more was put back than was sold");
      return;
    }
    if (status === "COMPLETED") {
      const isLate = cause === "sold_after_expiry";
      if (isLate === isLive) wrong(isLate ? "the hold was alive" : "the hold was not alive");
      if (line.status === "CANCELLED") wrong("it was given back before");
      this.soldCount += line.quantity;
      line.orderId = orderId;
    } else if (cause === "sale_refused") {
      const most = Math.min(...this.#configs.map((config) => config.capacity));
      if (isLive || this.heldCount + this.soldCount + line.quantity <= most) wrong("its sale was refused, and there was stock");
    } else if (status === "CANCELLED" && !isLive) wrong("given back, and was not held");
    else if (status === "EXPIRED" && (line.status !== "ACTIVE" || isLive)) wrong("expired, and its time was not over");
    if (isLive) this.heldCount -= line.quantity;
    line.status = status as LineStatus; // PENDING never comes from an inventory
  }

  #requireConserved(what: string): void {
    const most = Math.max(...this.#configs.map((config) => config.capacity));
    const { heldCount, soldCount } = this;
    if (heldCount < 0 || soldCount < 0 || heldCount + soldCount > most) {
      this.#report(`${what}: ${heldCount} held and ${soldCount} sold of ${most}`);
    }
  }
}

/** Its own time at most: less for a basket with a type that is held shorter, and for a use of a code for such seats. */
function isHoldTime({ reservationTtlSeconds }: InventoryConfig, holdMs: number): boolean {
  return holdMs > 0 && holdMs <= reservationTtlSeconds * 1_000;
}

/** Tickets of a line that count for its user. */
function countOwned(line: ModelLine): number {
  if (line.status === "COMPLETED") return line.quantity - line.restocked;
  return line.status === "ACTIVE" && !line.hasLapsed ? line.quantity : 0;
}
