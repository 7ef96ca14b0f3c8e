import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  decideFaultyScan,
  decideScan,
  GATE_CLOSES_AFTER_END_MS,
  strengthenRevocation,
  type GateView,
  type Revocation,
  type ScanDecision,
  type TicketAtGate,
} from "#domain/admission";
import type { AdmitCommand } from "#domain/gate-messages";

const STARTS_AT_MS = Date.UTC(2026, 5, 20, 18);
const ENDS_AT_MS = STARTS_AT_MS + 3 * 3_600_000;
const TYPE = { number: 1, ticketTypeId: "type-1", name: "Floor" };
const OPEN: GateView = { startsAtMs: STARTS_AT_MS, endsAtMs: ENDS_AT_MS, type: TYPE };
const NEW: TicketAtGate = { admission: null, highestEpoch: null, revocation: null, isBlocked: false };

function scan(changes: Partial<AdmitCommand> = {}): AdmitCommand {
  return {
    tenantId: "tenant-1",
    ticketId: "ticket-1",
    ticketTypeNumber: 1,
    credentialEpoch: 0,
    listId: null,
    type: "entry",
    nonce: null,
    force: false,
    scannedBy: "steward-1",
    scannedAtMs: STARTS_AT_MS,
    ...changes,
  };
}

/** The ticket as it is after a decision. */
function after(ticket: TicketAtGate, decision: ScanDecision, command: AdmitCommand): TicketAtGate {
  if (decision.next === null) return ticket;
  return { ...ticket, admission: decision.next, highestEpoch: Math.max(ticket.highestEpoch ?? 0, command.credentialEpoch) };
}

/** Decides the commands one after the other. */
function play(commands: readonly AdmitCommand[], nowMs = STARTS_AT_MS): ScanDecision[] {
  let ticket = NEW;
  return commands.map((command) => {
    const decision = decideScan(ticket, OPEN, command, nowMs);
    ticket = after(ticket, decision, command);
    return decision;
  });
}

describe("a ticket at the door", () => {
  it("is let in once, and the second scan says when, also once it went out and came back", () => {
    const first = decideScan(NEW, OPEN, scan(), STARTS_AT_MS);
    expect(first.answer).toMatchObject({ result: "admitted", reason: null, entryCount: 1, admittedAtMs: STARTS_AT_MS });
    expect(first.isFirstAdmission).toBe(true);
    const second = decideScan(after(NEW, first, scan()), OPEN, scan(), STARTS_AT_MS + 60_000);
    expect(second.answer).toMatchObject({
      result: "refused",
      reason: "already_redeemed",
      admittedAtMs: null,
      firstAdmittedAtMs: STARTS_AT_MS,
      entryCount: 1,
    });
    const wentOut = after(NEW, decideScan(after(NEW, first, scan()), OPEN, scan({ type: "exit" }), STARTS_AT_MS + 1), scan());
    const back = decideScan(wentOut, OPEN, scan(), STARTS_AT_MS + 2).answer;
    expect(back).toMatchObject({ admittedAtMs: STARTS_AT_MS + 2, firstAdmittedAtMs: STARTS_AT_MS });
    expect(second).toMatchObject({ next: null, isFirstAdmission: false, overridden: false });
  });

  it("may come back after it went out", () => {
    const [, out, again] = play([scan(), scan({ type: "exit" }), scan()]);
    expect(out?.answer).toMatchObject({ result: "admitted", admittedAtMs: null, entryCount: 1 });
    expect(again?.answer).toMatchObject({ result: "admitted", entryCount: 2 });
    expect(again?.isFirstAdmission).toBe(false);
    expect(again?.admittedChange).toBe(0);
  });

  it("cannot go out while it is not inside", () => {
    const [never, , , twice] = play([scan({ type: "exit" }), scan(), scan({ type: "exit" }), scan({ type: "exit" })]);
    expect(never?.answer).toMatchObject({ result: "refused", reason: "rules" });
    expect(twice?.answer).toMatchObject({ result: "refused", reason: "rules" });
  });

  it("may go out although it died or was blocked meanwhile or the gate has closed, so that nobody is held back", () => {
    const inside: TicketAtGate = {
      admission: { entryCount: 1, inside: true, firstAdmittedAtMs: STARTS_AT_MS },
      highestEpoch: 3,
      revocation: { minEpoch: null, reason: "canceled" },
      isBlocked: true,
    };
    const late = ENDS_AT_MS + GATE_CLOSES_AFTER_END_MS + 1;
    expect(decideScan(inside, OPEN, scan({ type: "exit" }), late).answer.result).toBe("admitted");
  });

  it.each(["revoked", "canceled"] as const)("is refused once all its credentials are %s, even by force", (reason) => {
    const dead: TicketAtGate = { ...NEW, revocation: { minEpoch: null, reason } };
    for (const force of [false, true]) {
      expect(decideScan(dead, OPEN, scan({ force, credentialEpoch: 65_535 }), STARTS_AT_MS).answer).toMatchObject({
        result: "refused",
        reason,
      });
    }
  });

  it("is refused while it is blocked, whatever its credential, even by force, and let in as before once it is not", () => {
    const handedOn: TicketAtGate = { ...NEW, revocation: { minEpoch: 2, reason: "revoked" } };
    for (const credentialEpoch of [0, 2, 65_535]) {
      for (const force of [false, true]) {
        const asked = scan({ force, credentialEpoch });
        expect(decideScan({ ...handedOn, isBlocked: true }, OPEN, asked, STARTS_AT_MS).answer).toMatchObject({
          result: "refused",
          reason: "blocked",
        });
      }
    }
    const unblocked = [0, 2].map((credentialEpoch) => decideScan(handedOn, OPEN, scan({ credentialEpoch }), STARTS_AT_MS));
    expect(unblocked.map(({ answer }) => answer.reason)).toEqual(["revoked", null]);
  });

  it("that is dead for good says so, blocked or not", () => {
    const dead: TicketAtGate = { ...NEW, revocation: { minEpoch: null, reason: "canceled" }, isBlocked: true };
    expect(decideScan(dead, OPEN, scan(), STARTS_AT_MS).answer.reason).toBe("canceled");
  });

  it("is refused with a credential from before its transfer, and let in with the one after it", () => {
    const transferred: TicketAtGate = { ...NEW, revocation: { minEpoch: 2, reason: "revoked" } };
    expect(decideScan(transferred, OPEN, scan({ credentialEpoch: 1, force: true }), STARTS_AT_MS).answer.reason).toBe(
      "revoked",
    );
    expect(decideScan(transferred, OPEN, scan({ credentialEpoch: 2 }), STARTS_AT_MS).answer.result).toBe("admitted");
  });

  it("dies at every list once a newer credential of it came in at one", () => {
    const cameInElsewhere: TicketAtGate = { ...NEW, highestEpoch: 1 };
    expect(decideScan(cameInElsewhere, OPEN, scan({ credentialEpoch: 0, force: true }), STARTS_AT_MS).answer.reason).toBe(
      "revoked",
    );
    const newer = decideScan(cameInElsewhere, OPEN, scan({ credentialEpoch: 2 }), STARTS_AT_MS);
    expect(newer.answer.result).toBe("admitted");
    expect(newer.isFirstAdmission).toBe(false);
  });

  it("of a type this gate never heard of is refused, even by force", () => {
    const decision = decideScan(NEW, { ...OPEN, type: undefined }, scan({ force: true }), STARTS_AT_MS);
    expect(decision.answer).toMatchObject({ result: "refused", reason: "product", ticket: null });
  });

  it("is let in however early the doors are opened, and refused once the gate has closed, six hours after the event", () => {
    const opens = STARTS_AT_MS - 365 * 86_400_000;
    const closes = ENDS_AT_MS + 6 * 3_600_000;
    const reasonAt = (nowMs: number): unknown => decideScan(NEW, OPEN, scan(), nowMs).answer.reason;
    expect([opens, closes - 1, closes].map(reasonAt)).toEqual([null, null, "invalid_time"]);
  });

  it("is judged by the gate's clock, whatever time the device tells", () => {
    const late = ENDS_AT_MS + GATE_CLOSES_AFTER_END_MS;
    expect(decideScan(NEW, OPEN, scan({ scannedAtMs: STARTS_AT_MS }), late).answer.reason).toBe("invalid_time");
  });

  it("is let in by force although it is inside or the gate is closed, and the override is told", () => {
    const late = ENDS_AT_MS + GATE_CLOSES_AFTER_END_MS;
    expect(decideScan(NEW, OPEN, scan({ force: true }), late)).toMatchObject({
      answer: { result: "admitted" },
      overridden: true,
    });
    const [plain, forced] = play([scan({ force: true }), scan({ force: true })]);
    expect(plain?.overridden).toBe(false);
    expect(forced).toMatchObject({
      answer: { result: "admitted", entryCount: 2 },
      overridden: true,
      insideChange: 0,
      admittedChange: 0,
    });
  });
});

describe("a faulty code", () => {
  it.each(["invalid", "wrong_event", "expired_code"] as const)("is refused as %s and changes nothing", (fault) => {
    const { tenantId, listId, type, nonce, scannedBy, scannedAtMs } = scan();
    const command = { tenantId, listId, type, nonce, scannedBy, scannedAtMs, fault, ticketId: null, ticketTypeNumber: null };
    const decision = decideFaultyScan(NEW, undefined, command, STARTS_AT_MS);
    expect(decision.answer).toMatchObject({ result: "refused", reason: fault, ticket: null, admittedAtMs: null });
    expect(decision).toMatchObject({ next: null, insideChange: 0, admittedChange: 0, isFirstAdmission: false });
  });
});

describe("revocations", () => {
  const revocations: fc.Arbitrary<Revocation> = fc.record({
    minEpoch: fc.option(fc.integer({ min: 1, max: 5 })),
    reason: fc.constantFrom("revoked", "canceled"),
  });

  it("never bring a dead credential back to life, in whatever order they come", () => {
    fc.assert(
      fc.property(fc.array(revocations, { maxLength: 6 }), fc.integer({ min: 0, max: 6 }), (asked, credentialEpoch) => {
        let revocation: Revocation | null = null;
        for (const one of asked) revocation = strengthenRevocation(revocation, one) ?? revocation;
        const isDead = asked.some(({ minEpoch }) => minEpoch === null || credentialEpoch < minEpoch);
        const answer = decideScan({ ...NEW, revocation }, OPEN, scan({ credentialEpoch }), STARTS_AT_MS).answer;
        expect(answer.result).toBe(isDead ? "refused" : "admitted");
      }),
    );
  });

  it("keep their first reason when they are repeated", () => {
    expect(strengthenRevocation({ minEpoch: null, reason: "canceled" }, { minEpoch: null, reason: "revoked" })).toBeNull();
    expect(strengthenRevocation({ minEpoch: 3, reason: "revoked" }, { minEpoch: 3, reason: "canceled" })).toBeNull();
  });
});

/** The rules again in their plainest form: a person, a door and what the steward may overrule. */
class DoorModel {
  isInside = false;
  entries = 0;
  newestEpoch = -1;

  ask(command: AdmitCommand, isOpen: boolean): "admitted" | "refused" {
    if (command.type === "exit") {
      if (!this.isInside) return "refused";
      this.isInside = false;
      this.newestEpoch = Math.max(this.newestEpoch, command.credentialEpoch);
      return "admitted";
    }
    if (command.credentialEpoch < this.newestEpoch) return "refused";
    if (!command.force && (!isOpen || this.isInside)) return "refused";
    this.isInside = true;
    this.entries += 1;
    this.newestEpoch = Math.max(this.newestEpoch, command.credentialEpoch);
    return "admitted";
  }
}

it("agrees with a simple model of a door for every run of scans", () => {
  const steps = fc.record({
    type: fc.constantFrom("entry" as const, "exit" as const),
    force: fc.boolean(),
    credentialEpoch: fc.integer({ min: 0, max: 2 }),
    isOpen: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(steps, { maxLength: 12 }), (run) => {
      const model = new DoorModel();
      let ticket = NEW;
      let insideCount = 0;
      let admittedCount = 0;
      for (const { isOpen, ...changes } of run) {
        const command = scan(changes);
        const decision = decideScan(ticket, OPEN, command, isOpen ? STARTS_AT_MS : ENDS_AT_MS + GATE_CLOSES_AFTER_END_MS);
        ticket = after(ticket, decision, command);
        insideCount += decision.insideChange;
        admittedCount += decision.admittedChange;
        expect(decision.answer.result).toBe(model.ask(command, isOpen));
        expect(decision.answer.entryCount).toBe(model.entries);
        expect(insideCount).toBe(model.isInside ? 1 : 0);
        expect(admittedCount).toBe(model.entries > 0 ? 1 : 0);
      }
    }),
    { numRuns: 500 },
  );
});
