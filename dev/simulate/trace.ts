import { createHash } from "node:crypto";

/** Lines kept to be shown when something is wrong, and how much of a line's detail is. */
const LINES_KEPT = 60;
const DETAIL_SHOWN = 160;

/** What happened, line by line: the last lines for people, and a hash of all of them to compare two runs by. */
export class Trace {
  readonly #last: string[] = [];
  readonly #hash = createHash("sha256");
  #position = 0;

  /** @param detail JSON; shown in part and hashed whole. */
  note(line: string, detail = ""): void {
    this.#hash.update(`${line} ${detail}\n`);
    this.#last[this.#position % LINES_KEPT] = detail === "" ? line : `${line} ${summarise(detail)}`;
    this.#position += 1;
  }

  /** The last lines, oldest first. */
  listLast(): string[] {
    const first = this.#position % LINES_KEPT;
    return [...this.#last.slice(first), ...this.#last.slice(0, first)];
  }

  /** SHA-256 of every line so far. */
  digest(): string {
    return this.#hash.copy().digest("hex");
  }
}

/** The fields that tell one thing from another, of an order or of a reservation. */
const TELLING =
  /"(id|status|orderNumber|seq|version|reservationId|changedQuantity|cause|eventId|outcome|orderId)":("[^"]*"|\d+)/g;

function summarise(detail: string): string {
  return (detail.match(TELLING) ?? []).join(" ").replaceAll('"', "").slice(0, DETAIL_SHOWN);
}

/** A promise that was broken, with what is needed to see it again. */
export class SimulationFailure extends Error {
  readonly seed: number;
  /** How many operations had been made. */
  readonly operation: number;
  readonly trace: readonly string[];

  constructor(what: string, seed: number, operation: number, trace: readonly string[]) {
    super(what);
    this.name = "SimulationFailure";
    this.seed = seed;
    this.operation = operation;
    this.trace = trace;
  }
}
