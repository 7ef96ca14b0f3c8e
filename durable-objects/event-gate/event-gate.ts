import { DurableObject } from "cloudflare:workers";
import type {
  AdmitCommand,
  BlockTicketsCommand,
  GateConfig,
  GatePort,
  GateStats,
  GateTicketType,
  HandOverCommand,
  HandOverOutcome,
  RecallTicketsCommand,
  RefuseCommand,
  ScanAnswer,
} from "#domain/gate-messages";
import { assertInvariant } from "#domain/result";
import type { Backlog, UpkeepPort } from "#domain/upkeep-messages";
import { readClockMs } from "#platform/clock";
import { createLogger } from "#platform/logger";
import { isD1Refusal } from "#storage/d1-errors";
import { projectValidations, type RecordedScan } from "#storage/ticket-validations";
import gateSql from "../../migrations/event-gate/0001_gate.sql";
import blocksSql from "../../migrations/event-gate/0002_blocks.sql";
import firstNoncesSql from "../../migrations/event-gate/0003_first_nonces.sql";
import outboxSql from "../../migrations/shared/0001_outbox.sql";
import { DurableLedger } from "../durable-ledger.ts";
import { migrate } from "../migrate.ts";
import type { OutboxRow } from "../outbox.ts";
import { GateBook } from "./gate-book.ts";
import type { GateCommand, GateOutcome } from "./gate-commands.ts";
import { GateStore } from "./gate-store.ts";

/** The bindings a gate needs. */
export interface EventGateEnv {
  readonly DB: D1Database;
}

/**
 * Decides who enters one event, alone: no database, no other object and no clock but its own takes part
 * (docs/adr/0007-the-gate-decides-alone.md). Scans that arrive together share one commit, are decided one after the other,
 * and are answered only once they are durable; D1 follows through the outbox.
 */
export class EventGate extends DurableObject<EventGateEnv> implements GatePort, UpkeepPort {
  readonly #book: GateBook;
  readonly #ledger: DurableLedger<GateCommand, GateOutcome>;

  constructor(ctx: DurableObjectState, env: EventGateEnv) {
    super(ctx, env);
    migrate(ctx.storage, [outboxSql, gateSql, blocksSql, firstNoncesSql]);
    const book = new GateBook(new GateStore(ctx.storage.sql));
    this.#book = book;
    this.#ledger = new DurableLedger<GateCommand, GateOutcome>(
      ctx.storage,
      {
        apply: (commands, nowMs, emit) => book.apply(commands, nowMs, emit),
        reload: () => book.load(),
        deliver: (rows) => this.#deliver(rows),
        isRefusal: isD1Refusal,
        onAlarm: (nowMs) => Promise.resolve(book.forgetAnswers(nowMs)),
        nextWorkMs: () => book.forgetAnswersAtMs(),
      },
      createLogger("event-gate"),
      readClockMs,
    );
  }

  async configure(config: GateConfig): Promise<void> {
    const outcome = await this.#ledger.submit({ kind: "configure", config });
    assertInvariant(outcome.kind === "done", "a gate stays with its event and tenant");
  }

  async putTicketType(tenantId: string, type: GateTicketType): Promise<void> {
    const outcome = await this.#ledger.submit({ kind: "put_type", tenantId, type });
    assertInvariant(outcome.kind === "done", "a gate is configured before it learns ticket types");
  }

  async admit(command: AdmitCommand): Promise<ScanAnswer | undefined> {
    return answerOf(await this.#ledger.submit({ kind: "admit", scan: command }));
  }

  async refuse(command: RefuseCommand): Promise<ScanAnswer | undefined> {
    return answerOf(await this.#ledger.submit({ kind: "refuse", scan: command }));
  }

  preview(command: AdmitCommand | RefuseCommand): Promise<ScanAnswer | undefined> {
    const question =
      "fault" in command ? ({ kind: "refuse", scan: command } as const) : ({ kind: "admit", scan: command } as const);
    return Promise.resolve(this.#book.preview(question, readClockMs()));
  }

  async recall(command: RecallTicketsCommand): Promise<boolean> {
    return (await this.#ledger.submit({ kind: "recall", recall: command })).kind === "done";
  }

  async block(command: BlockTicketsCommand): Promise<boolean> {
    return (await this.#ledger.submit({ kind: "block", block: command })).kind === "done";
  }

  async handOver(command: HandOverCommand): Promise<HandOverOutcome | undefined> {
    const outcome = await this.#ledger.submit({ kind: "hand_over", handOver: command });
    return outcome.kind === "handed_over" ? outcome.outcome : undefined;
  }

  previewHandOver(command: HandOverCommand): Promise<HandOverOutcome | undefined> {
    return Promise.resolve(this.#book.previewHandOver(command));
  }

  stats(tenantId: string): Promise<GateStats | undefined> {
    return Promise.resolve(this.#book.stats(tenantId));
  }

  wake(): Promise<void> {
    return this.#ledger.wake();
  }

  measureBacklog(): Promise<Backlog> {
    return Promise.resolve(this.#ledger.measureBacklog(() => null));
  }

  override alarm(): Promise<void> {
    return this.#ledger.alarm();
  }

  async #deliver(rows: readonly OutboxRow[]): Promise<void> {
    const { config } = this.#book;
    assertInvariant(config !== undefined, "a gate that recorded scans has its event");
    const scans = rows.map(({ seq, body }) => ({ seq, scan: JSON.parse(body) as RecordedScan })); // the only topic, written by GateBook
    await projectValidations(this.env.DB, config, scans);
  }
}

function answerOf(outcome: GateOutcome): ScanAnswer | undefined {
  return outcome.kind === "answered" ? outcome.answer : undefined;
}
