import {
  decideFaultyScan,
  decideHandOver,
  decideScan,
  gateClosesAtMs,
  repeatFirstAdmission,
  strengthenRevocation,
  type ScanDecision,
} from "#domain/admission";
import type {
  AdmitCommand,
  BlockTicketsCommand,
  GateConfig,
  GateStats,
  GateTicketType,
  HandOverCommand,
  HandOverOutcome,
  RecallTicketsCommand,
  RefuseCommand,
  ScanAnswer,
} from "#domain/gate-messages";
import type { RecordedScan } from "#storage/ticket-validations";
import type { Emit } from "../outbox.ts";
import { ticketIdsOf, type GateCommand, type GateOutcome } from "./gate-commands.ts";
import {
  nonceKey,
  type AdmissionRow,
  type BlockRow,
  type GateCounter,
  type GateStore,
  type RevocationRow,
  type ScanKey,
} from "./gate-store.ts";
import { GroupTickets } from "./group-tickets.ts";

type Scan = AdmitCommand | RefuseCommand;
type ScanCommand = Extract<GateCommand, { kind: "admit" | "refuse" }>;

/** What a group has decided and not yet stored. */
interface GroupWork {
  readonly tickets: GroupTickets;
  readonly answers: Map<string, ScanAnswer>;
  readonly newAnswers: { readonly key: ScanKey; readonly answer: ScanAnswer }[];
  readonly admissions: Map<string, AdmissionRow>;
  readonly counters: Set<GateCounter>;
  readonly revocations: Map<string, RevocationRow>;
  readonly blocks: Map<string, BlockRow>;
  readonly emit: Emit;
}

/** How long after the gate has closed a device may still ask for a first answer again. */
const ANSWERS_KEPT_AFTER_CLOSING_MS = 24 * 3_600_000;
/** First answers forgotten in one alarm. */
const FORGOTTEN_PER_ALARM = 1_000;

function keyOf(scan: Scan): ScanKey {
  return { ticketId: scan.ticketId ?? "", listId: scan.listId ?? "", type: scan.type, nonce: scan.nonce };
}

/**
 * A gate's state: its event, ticket types and counters in memory, its tickets in SQLite. Every change is written by
 * {@link GateBook.apply}, which runs inside a commit; after a rollback {@link GateBook.load} puts the memory right again.
 */
export class GateBook {
  readonly #store: GateStore;
  #config: GateConfig | undefined;
  #types = new Map<number, GateTicketType>();
  #counters = new Map<string, GateCounter>();
  #hasAnswers = false;

  constructor(store: GateStore) {
    this.#store = store;
    this.load();
  }

  get config(): GateConfig | undefined {
    return this.#config;
  }

  load(): void {
    this.#config = this.#store.findConfig();
    this.#types = new Map(this.#store.listTicketTypes().map((type) => [type.number, type]));
    this.#counters = new Map(
      this.#store.listCounters().map((counter) => [`${counter.ticketTypeNumber}:${counter.listId}`, counter]),
    );
    this.#hasAnswers = this.#store.hasAnswers();
  }

  /** Decides the commands in order and stores their changes, with one statement a table for the whole group. */
  apply(commands: readonly GateCommand[], nowMs: number, emit: Emit): GateOutcome[] {
    const scans = commands.flatMap((command) => (command.kind === "admit" || command.kind === "refuse" ? [command.scan] : []));
    const work: GroupWork = {
      tickets: new GroupTickets(this.#store.findTickets(commands.flatMap(ticketIdsOf))),
      answers: this.#store.findAnswers(scans.map(keyOf)),
      newAnswers: [],
      admissions: new Map(),
      counters: new Set(),
      revocations: new Map(),
      blocks: new Map(),
      emit,
    };
    const outcomes = commands.map((command) => this.#applyOne(command, work, nowMs));
    this.#store.saveAdmissions([...work.admissions.values()]);
    this.#store.saveCounters([...work.counters]);
    this.#store.saveRevocations([...work.revocations.values()], nowMs);
    this.#store.saveBlocks([...work.blocks.values()], nowMs);
    this.#store.saveAnswers(work.newAnswers);
    if (work.newAnswers.length > 0) this.#hasAnswers = true;
    return outcomes;
  }

  #applyOne(command: GateCommand, work: GroupWork, nowMs: number): GateOutcome {
    switch (command.kind) {
      case "configure":
        return this.#configure(command.config);
      case "put_type":
        return this.#putType(command.tenantId, command.type);
      case "recall":
        return this.#recall(command.recall, work);
      case "block":
        return this.#block(command.block, work);
      case "hand_over":
        return this.#handOver(command.handOver, work);
      case "admit":
      case "refuse":
        return this.#scan(command, work, nowMs);
    }
  }

  #isOf(tenantId: string): boolean {
    return this.#config?.tenantId === tenantId;
  }

  #configure(config: GateConfig): GateOutcome {
    const known = this.#config;
    if (known !== undefined && (known.tenantId !== config.tenantId || known.eventId !== config.eventId))
      return { kind: "not_here" };
    this.#store.saveConfig(config);
    this.#config = config;
    return { kind: "done" };
  }

  #putType(tenantId: string, type: GateTicketType): GateOutcome {
    if (!this.#isOf(tenantId)) return { kind: "not_here" };
    this.#store.saveTicketType(type);
    this.#types.set(type.number, type);
    return { kind: "done" };
  }

  #recall({ tenantId, ticketIds, reason, actor }: RecallTicketsCommand, work: GroupWork): GateOutcome {
    if (!this.#isOf(tenantId)) return { kind: "not_here" };
    for (const ticketId of ticketIds) {
      const stronger = strengthenRevocation(work.tickets.view(ticketId, "").revocation, { minEpoch: null, reason });
      if (stronger !== null) keepRevocation({ ticketId, revocation: stronger, actor }, work);
    }
    return { kind: "done" };
  }

  #block({ tenantId, ticketIds, isBlocked, version, actor }: BlockTicketsCommand, work: GroupWork): GateOutcome {
    if (!this.#isOf(tenantId)) return { kind: "not_here" };
    const stored = this.#store.findBlockVersions(ticketIds);
    for (const ticketId of ticketIds) {
      const known = work.blocks.get(ticketId)?.version ?? stored.get(ticketId);
      if (known !== undefined && version <= known) continue;
      work.blocks.set(ticketId, { ticketId, isBlocked, version, actor });
      work.tickets.block(ticketId, isBlocked);
    }
    return { kind: "done" };
  }

  #handOver({ tenantId, ticketId, toEpoch, actor }: HandOverCommand, work: GroupWork): GateOutcome {
    if (!this.#isOf(tenantId)) return { kind: "not_here" };
    const { outcome, revocation } = decideHandOver(work.tickets.view(ticketId, ""), toEpoch);
    if (revocation !== null) keepRevocation({ ticketId, revocation, actor }, work);
    return { kind: "handed_over", outcome };
  }

  /** What the hand-over would be answered; changes nothing. Undefined: not an event of that tenant. */
  previewHandOver({ tenantId, ticketId, toEpoch }: HandOverCommand): HandOverOutcome | undefined {
    if (!this.#isOf(tenantId)) return undefined;
    return decideHandOver(new GroupTickets(this.#store.findTickets([ticketId])).view(ticketId, ""), toEpoch).outcome;
  }

  #decide(command: ScanCommand, tickets: GroupTickets, config: GateConfig, nowMs: number): ScanDecision {
    const { scan } = command;
    const key = keyOf(scan);
    const ticket = tickets.view(key.ticketId, key.listId);
    const type = this.#typeOf(scan);
    if (command.kind === "refuse") return decideFaultyScan(ticket, type, command.scan, nowMs);
    return decideScan(ticket, { startsAtMs: config.startsAtMs, endsAtMs: config.endsAtMs, type }, command.scan, nowMs);
  }

  #scan(command: ScanCommand, work: GroupWork, nowMs: number): GateOutcome {
    const { scan } = command;
    const config = this.#config;
    if (config === undefined || config.tenantId !== scan.tenantId) return { kind: "not_here" };
    const firstAnswer = this.#findFirstAnswer(scan, work, nowMs);
    if (firstAnswer !== undefined) return { kind: "answered", answer: { ...firstAnswer, replayed: true } };
    const key = keyOf(scan);
    const decision = this.#decide(command, work.tickets, config, nowMs);
    if (command.kind === "admit") this.#keep(command.scan, decision, work);
    // The first admission at a list keeps its nonce itself, and its answer can be told from it.
    if (key.nonce !== null && decision.admittedChange === 0) {
      work.answers.set(nonceKey(key), decision.answer);
      work.newAnswers.push({ key, answer: decision.answer });
    }
    work.emit({ topic: "validation", body: recordOf(scan, decision, nowMs) });
    return { kind: "answered", answer: decision.answer };
  }

  /** What the same question was answered before, unless that is forgotten by now. */
  #findFirstAnswer(scan: Scan, work: GroupWork, nowMs: number): ScanAnswer | undefined {
    const key = keyOf(scan);
    if (key.nonce === null) return undefined;
    const row = work.tickets.findAdmission(key.ticketId, key.listId);
    const isFirstEntry = row?.firstNonce === key.nonce && key.type === "entry";
    if (isFirstEntry && nowMs < (this.#answersEndAtMs ?? 0))
      return repeatFirstAdmission(scan, this.#typeOf(scan), row.admission);
    return work.answers.get(nonceKey(key));
  }

  #typeOf({ ticketTypeNumber }: Scan): GateTicketType | undefined {
    return ticketTypeNumber === null ? undefined : this.#types.get(ticketTypeNumber);
  }

  #keep(scan: AdmitCommand, decision: ScanDecision, work: GroupWork): void {
    if (decision.next === null) return;
    const { ticketId, ticketTypeNumber } = scan;
    const listId = scan.listId ?? "";
    work.admissions.set(`${ticketId}:${listId}`, work.tickets.admit(scan, listId, decision.next));
    const counterKey = `${ticketTypeNumber}:${listId}`;
    const counter = this.#counters.get(counterKey) ?? { listId, ticketTypeNumber, admitted: 0, inside: 0 };
    counter.admitted += decision.admittedChange;
    counter.inside += decision.insideChange;
    this.#counters.set(counterKey, counter);
    work.counters.add(counter);
  }

  /** What the scan would be answered; changes nothing. Undefined: not an event of that tenant. */
  preview(command: ScanCommand, nowMs: number): ScanAnswer | undefined {
    const config = this.#config;
    if (config === undefined || config.tenantId !== command.scan.tenantId) return undefined;
    const tickets = new GroupTickets(this.#store.findTickets([keyOf(command.scan).ticketId]));
    return this.#decide(command, tickets, config, nowMs).answer;
  }

  /** Counts per list and ticket type; undefined when not an event of that tenant. */
  stats(tenantId: string): GateStats | undefined {
    if (!this.#isOf(tenantId)) return undefined;
    const lists = [...this.#counters.values()].flatMap(({ listId, ticketTypeNumber, admitted, inside }) => {
      const type = this.#types.get(ticketTypeNumber);
      return type === undefined
        ? []
        : [{ listId: listId === "" ? null : listId, ticketTypeId: type.ticketTypeId, admitted, inside }];
    });
    return { lists };
  }

  /** When the first answers end, Unix milliseconds. */
  get #answersEndAtMs(): number | undefined {
    return this.#config && gateClosesAtMs(this.#config) + ANSWERS_KEPT_AFTER_CLOSING_MS;
  }

  /** When the first answers may be forgotten, Unix milliseconds; undefined when there are none. */
  forgetAnswersAtMs(): number | undefined {
    return this.#hasAnswers ? this.#answersEndAtMs : undefined;
  }

  /** Forgets a bounded number of first answers, once the gate is long closed. */
  forgetAnswers(nowMs: number): void {
    const dueAtMs = this.forgetAnswersAtMs();
    if (dueAtMs === undefined || nowMs < dueAtMs) return;
    this.#store.removeAnswers(FORGOTTEN_PER_ALARM);
    this.#hasAnswers = this.#store.hasAnswers();
  }
}

function keepRevocation(row: RevocationRow, work: GroupWork): void {
  work.revocations.set(row.ticketId, row);
  work.tickets.revoke(row.ticketId, row.revocation);
}

function recordOf(scan: Scan, decision: ScanDecision, nowMs: number): RecordedScan {
  return {
    ticketId: scan.ticketId,
    listId: scan.listId,
    type: scan.type,
    result: decision.answer.result,
    reason: decision.answer.reason,
    scannedBy: scan.scannedBy,
    nonce: scan.nonce,
    forced: decision.overridden,
    scannedAtMs: scan.scannedAtMs,
    receivedAtMs: nowMs,
    isFirstAdmission: decision.isFirstAdmission,
  };
}
