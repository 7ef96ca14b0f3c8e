import { DurableObject } from "cloudflare:workers";
import {
  decideGroup,
  INVENTORY_RULES,
  type InventoryCommand,
  type InventoryOutcome,
  type InventoryRules,
} from "#domain/inventory-group";
import type {
  ConfigureOutcome,
  ConfirmCommand,
  ConfirmOutcome,
  GiveBackOutcome,
  InventoryConfig,
  InventoryPort,
  InventorySnapshot,
  ReleaseCommand,
  ReserveCommand,
  ReserveOutcome,
  RestockCommand,
} from "#domain/inventory-messages";
import type { InventoryState, NumberedChange } from "#domain/inventory-state";
import { assertInvariant } from "#domain/result";
import type {
  Backlog,
  InventoryPage,
  InventoryUpkeepPort,
  ReservationMade,
  UnknownReservations,
} from "#domain/upkeep-messages";
import { readClockMs } from "#platform/clock";
import { createLogger } from "#platform/logger";
import { isD1Refusal } from "#storage/d1-errors";
import { projectDiscountStock } from "#storage/discounts";
import { projectInventory, type ReservationNews } from "#storage/reservations";
import inventorySql from "../../migrations/ticket-type-inventory/0001_inventory.sql";
import outboxSql from "../../migrations/shared/0001_outbox.sql";
import { DurableLedger, UNHURRIED_REST_MS } from "../durable-ledger.ts";
import type { InventoryProjectorPort } from "../inventory-projector/inventory-projector.ts";
import { migrate } from "../migrate.ts";
import type { Emit, OutboxMessage, OutboxRow } from "../outbox.ts";
import { InventoryAudit } from "./inventory-audit.ts";
import { InventoryStore } from "./inventory-store.ts";

/** What the object needs of the Worker's environment. */
interface InventoryEnv {
  readonly DB: D1Database;
  /** By the tenant's id. */
  readonly INVENTORY_PROJECTOR: { getByName(tenantId: string): InventoryProjectorPort };
}

/** Commits of one alarm that report expiries (each 50 at most), with a rest after each. */
const SWEEPS_PER_ALARM = 5;
/** An expiry is reported this much later, so that one alarm reports those of many milliseconds. */
const SWEEP_DELAY_MS = 250;
/** After this many changes the alarm sweeps even if nothing expired, so that loading the object stays quick. */
const CHANGES_BETWEEN_SWEEPS = 1_000;
const RESERVATION_TOPIC = "reservation";
const CONFIGURED_TOPIC = "configured";
/** So many changes are worth a trip to D1 of their own; fewer share one with other inventories of the tenant. */
const WORTH_A_TRIP = 50;
/** What D1 does not have so long after it was configured was never stored: its maker got an error, and knows no id of it. */
const STORED_WITHIN_MS = 3_600_000;
/** Lines of a page, and ids of a question, at most. */
const AUDITED_AT_ONCE = 1_000;

function tell(change: NumberedChange): OutboxMessage {
  const { line, historySeq, atMs, actor, cause, quantity } = change;
  const body: ReservationNews = {
    seq: historySeq,
    reservationId: line.reservationId,
    userId: line.userId,
    quantity: line.quantity,
    changedQuantity: quantity,
    restockedQuantity: line.restockedQuantity,
    status: line.status,
    orderId: line.orderId,
    expiresAtMs: line.expiresAtMs,
    createdAtMs: line.createdAtMs,
    actor,
    cause,
    atMs,
  };
  return { topic: RESERVATION_TOPIC, body };
}

/** When the change that a message tells of was made, Unix milliseconds; null for one that does not say. */
function readAtMs({ body }: OutboxRow): number | null {
  return (JSON.parse(body) as { atMs?: number }).atMs ?? null; // our own JSON
}

function hasKind<Kind extends InventoryCommand["kind"]>(
  outcome: InventoryOutcome,
  kind: Kind,
): outcome is Extract<InventoryOutcome, { kind: Kind }> {
  return outcome.kind === kind;
}

/**
 * The stock of one ticket type: who holds how much of it until when, and what is sold. All decisions are made in
 * `#domain/inventory-group`; here they are loaded for, stored and told (docs/adr/0001). The same decisions serve the caps of
 * a discount, one object each, of which D1 has the counters alone (docs/adr/0010).
 *
 * The commands that arrive while earlier writes are on their way to disk share one commit; reads answer from memory, which is the
 * fold of what is stored.
 */
export class TicketTypeInventory extends DurableObject<InventoryEnv> implements InventoryPort, InventoryUpkeepPort {
  /** The simulation puts broken decisions in their place, to see that it finds them out. */
  protected readonly rules: InventoryRules = INVENTORY_RULES;
  readonly #store: InventoryStore;
  readonly #audit: InventoryAudit;
  readonly #ledger: DurableLedger<InventoryCommand, InventoryOutcome>;
  #state: InventoryState | undefined;
  #sweptAtSeq = 0;

  constructor(ctx: DurableObjectState, env: InventoryEnv) {
    super(ctx, env);
    migrate(ctx.storage, [outboxSql, inventorySql]);
    this.#store = new InventoryStore(ctx.storage.sql);
    this.#audit = new InventoryAudit(ctx.storage.sql);
    this.#reload();
    this.#ledger = new DurableLedger<InventoryCommand, InventoryOutcome>(
      ctx.storage,
      {
        apply: (commands, nowMs, emit) => this.#apply(commands, nowMs, emit),
        reload: () => this.#reload(),
        deliver: (rows) => this.#deliver(rows),
        isUnhurried: () => this.#hasExpired(),
        isRefusal: isD1Refusal,
        onAlarm: () => this.#sweep(),
        nextWorkMs: () => this.#nextSweepMs(),
      },
      createLogger("ticket-type-inventory"),
      readClockMs,
    );
  }

  async configure(config: InventoryConfig): Promise<ConfigureOutcome> {
    return (await this.#submit({ kind: "configure", config })).outcome;
  }

  async snapshot(): Promise<InventorySnapshot | undefined> {
    return this.#state?.snapshotAt(readClockMs());
  }

  async reserve(
    commands: readonly ReserveCommand[],
  ): Promise<{ outcomes: readonly ReserveOutcome[]; snapshot: InventorySnapshot | undefined }> {
    const answers = await Promise.all(commands.map((command) => this.#submit({ kind: "reserve", command })));
    return { outcomes: answers.map((answer) => answer.outcome), snapshot: this.#state?.snapshotAt(readClockMs()) };
  }

  async confirm(commands: readonly ConfirmCommand[]): Promise<readonly ConfirmOutcome[]> {
    const answers = await Promise.all(commands.map((command) => this.#submit({ kind: "confirm", command })));
    return answers.map((answer) => answer.outcome);
  }

  async release(command: ReleaseCommand): Promise<GiveBackOutcome> {
    return (await this.#submit({ kind: "release", command })).outcome;
  }

  async restock(command: RestockCommand): Promise<GiveBackOutcome> {
    return (await this.#submit({ kind: "restock", command })).outcome;
  }

  async wake(): Promise<void> {
    await this.#ledger.wake();
  }

  async measureBacklog(): Promise<Backlog> {
    return this.#measureBacklog();
  }

  async listLines(tenantId: string, afterPosition: number, limit: number): Promise<InventoryPage | undefined> {
    const state = this.#state;
    if (state?.config.tenantId !== tenantId) return undefined;
    return {
      ...this.#audit.listLines(afterPosition, Math.min(limit, AUDITED_AT_ONCE)),
      historySeq: state.counters.historySeq,
      waitingIds: this.#audit.listWaitingIds(RESERVATION_TOPIC),
      snapshot: state.snapshotAt(readClockMs()),
      isQuiet: this.#measureBacklog().waitingCount === 0 && !this.#hasExpired(),
    };
  }

  async findUnknown(tenantId: string, reservations: readonly ReservationMade[]): Promise<UnknownReservations | undefined> {
    const state = this.#state;
    if (state?.config.tenantId !== tenantId) return undefined;
    assertInvariant(reservations.length <= AUDITED_AT_ONCE, "an inventory is asked for too many reservations at once");
    return { unknownPlaces: this.#audit.findUnknown(reservations), historySeq: state.counters.historySeq };
  }

  override async alarm(): Promise<void> {
    await this.#ledger.alarm();
  }

  #measureBacklog(): Backlog {
    return this.#ledger.measureBacklog(readAtMs);
  }

  async #submit<Kind extends InventoryCommand["kind"]>(
    command: InventoryCommand & { readonly kind: Kind },
  ): Promise<Extract<InventoryOutcome, { kind: Kind }>> {
    const outcome = await this.#ledger.submit(command);
    assertInvariant(hasKind(outcome, command.kind), "an inventory answered another kind of command");
    return outcome;
  }

  #reload(): void {
    this.#state = undefined;
    this.#state = this.#store.load();
  }

  #apply(commands: readonly InventoryCommand[], nowMs: number, emit: Emit): readonly InventoryOutcome[] {
    const facts = this.#store.loadFacts(this.#state, commands, nowMs);
    const result = decideGroup(this.#state, facts, commands, nowMs, this.rules);
    const swept = commands.some((command) => command.kind === "sweep");
    this.#store.save(result, swept);
    this.#state = result.state;
    if (swept) this.#sweptAtSeq = result.state?.counters.seq ?? 0;
    for (const change of result.changes) emit(tell(change));
    if (result.configured) emit({ topic: CONFIGURED_TOPIC, body: { atMs: nowMs } });
    return result.outcomes;
  }

  #nextSweepMs(): number | undefined {
    const firstExpiryMs = this.#state?.firstExpiryMs();
    return firstExpiryMs === undefined ? undefined : firstExpiryMs + SWEEP_DELAY_MS;
  }

  /** Holds have run out whose expiry is not reported yet. */
  #hasExpired(): boolean {
    const state = this.#state;
    return state !== undefined && (state.firstExpiryMs() ?? Infinity) <= state.clockAt(readClockMs());
  }

  async #sweep(): Promise<void> {
    for (let sweep = 0; sweep < SWEEPS_PER_ALARM; sweep += 1) {
      const state = this.#state;
      if (!state) return;
      if (!this.#hasExpired() && state.counters.seq < this.#sweptAtSeq + CHANGES_BETWEEN_SWEEPS) return;
      await this.#submit({ kind: "sweep" });
      await scheduler.wait(this.#hasExpired() ? UNHURRIED_REST_MS : 0);
    }
  }

  /** News of what was never stored are forgotten: without an end to it, the object would wake for them for ever. */
  async #deliver(rows: readonly OutboxRow[]): Promise<void> {
    const state = this.#state;
    assertInvariant(state !== undefined, "an inventory has news and no configuration");
    if (await this.#project(state, rows)) return;
    const wasNeverUsed = state.counters.historySeq === 0;
    const isOver = rows.every((row) => (readAtMs(row) ?? Infinity) <= readClockMs() - STORED_WITHIN_MS);
    if (!wasNeverUsed || !isOver) throw new Error("the ticket type or discount is not in D1 yet");
  }

  #project(state: InventoryState, rows: readonly OutboxRow[]): Promise<boolean> {
    const { tenantId, eventId, ticketTypeId, discount } = state.config;
    const snapshot = state.snapshotAt(readClockMs());
    if (discount) return projectDiscountStock(this.env.DB, { tenantId, ...discount }, snapshot);
    const changes = rows.filter((row) => row.topic === RESERVATION_TOPIC).map((row) => JSON.parse(row.body) as ReservationNews); // written by `tell`
    const news = { tenantId, eventId, ticketTypeId, changes, snapshot };
    return changes.length < WORTH_A_TRIP
      ? this.env.INVENTORY_PROJECTOR.getByName(tenantId).project(news)
      : projectInventory(this.env.DB, news);
  }
}
