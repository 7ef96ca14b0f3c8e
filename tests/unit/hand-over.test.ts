import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decideHandOver, decideScan, strengthenRevocation, type TicketAtGate } from "#domain/admission";
import type { AdmitCommand } from "#domain/gate-messages";

const UNTOUCHED: TicketAtGate = { admission: null, highestEpoch: null, revocation: null, isBlocked: false };
const VIEW = { startsAtMs: 0, endsAtMs: 1_000, type: { number: 1, ticketTypeId: "type", name: "Floor" } };

function scan(credentialEpoch: number, type: "entry" | "exit" = "entry", force = false): AdmitCommand {
  return {
    tenantId: "tenant",
    ticketId: "ticket",
    ticketTypeNumber: 1,
    credentialEpoch,
    listId: null,
    type,
    nonce: null,
    force,
    scannedBy: "steward",
    scannedAtMs: 0,
  };
}

/** A gate's ticket that commands change one after the other. */
class Gate {
  ticket = UNTOUCHED;

  admits(command: AdmitCommand): boolean {
    const decision = decideScan(this.ticket, VIEW, command, 500);
    if (decision.next !== null) {
      const highestEpoch = Math.max(this.ticket.highestEpoch ?? 0, command.credentialEpoch);
      this.ticket = { ...this.ticket, admission: decision.next, highestEpoch };
    }
    return decision.answer.result === "admitted";
  }

  handOver(toEpoch: number): string {
    const { outcome, revocation } = decideHandOver(this.ticket, toEpoch);
    if (revocation !== null) this.ticket = { ...this.ticket, revocation };
    return outcome;
  }

  block(isBlocked: boolean): void {
    this.ticket = { ...this.ticket, isBlocked };
  }

  recall(minEpoch: number | null): void {
    const stronger = strengthenRevocation(this.ticket.revocation, { minEpoch, reason: "canceled" });
    if (stronger !== null) this.ticket = { ...this.ticket, revocation: stronger };
  }
}

describe("a hand-over at the gate", () => {
  it("kills the old credential and leaves the new one alive", () => {
    const gate = new Gate();
    expect(gate.handOver(1)).toBe("done");
    expect([gate.admits(scan(0)), gate.admits(scan(0, "entry", true)), gate.admits(scan(1))]).toEqual([false, false, true]);
  });

  it("is refused for a ticket that was let in, also when it has gone out again, and kills nothing then", () => {
    const gate = new Gate();
    gate.admits(scan(0));
    expect(gate.handOver(1)).toBe("admitted");
    gate.admits(scan(0, "exit"));
    expect(gate.handOver(1)).toBe("admitted");
    expect(gate.admits(scan(0))).toBe(true);
  });

  it("is refused for a ticket that was recalled for good", () => {
    const gate = new Gate();
    gate.recall(null);
    expect(gate.handOver(1)).toBe("dead");
    expect(gate.admits(scan(1))).toBe(false);
  });

  it("is refused while the ticket is blocked, and kills nothing then", () => {
    const gate = new Gate();
    gate.block(true);
    expect(gate.handOver(1)).toBe("blocked");
    gate.block(false);
    expect(gate.admits(scan(0))).toBe(true);
  });

  it("that was done before the ticket was blocked is done again, so that the ticket is somebody's", () => {
    const gate = new Gate();
    gate.handOver(1);
    gate.block(true);
    expect(gate.handOver(1)).toBe("done");
    expect(gate.handOver(2)).toBe("blocked");
    gate.block(false);
    expect([gate.admits(scan(0)), gate.admits(scan(1))]).toEqual([false, true]);
  });

  it("is done again when it is repeated, also after its new owner went in", () => {
    const gate = new Gate();
    gate.handOver(1);
    expect(gate.handOver(1)).toBe("done");
    gate.admits(scan(1));
    expect(gate.handOver(1)).toBe("done");
    expect(gate.handOver(2)).toBe("admitted");
  });

  it("never wins together with a scan of the old credential, in whatever order things happen", () => {
    const acts = fc.array(
      fc.oneof(
        fc.record({ kind: fc.constant("scan" as const), epoch: fc.nat(3), force: fc.boolean() }),
        fc.record({ kind: fc.constant("handOver" as const), epoch: fc.integer({ min: 1, max: 3 }), force: fc.constant(false) }),
        fc.record({ kind: fc.constant("recall" as const), epoch: fc.nat(3), force: fc.boolean() }),
        fc.record({ kind: fc.constant("block" as const), epoch: fc.constant(0), force: fc.boolean() }),
      ),
      { maxLength: 12 },
    );
    fc.assert(
      fc.property(acts, (list) => {
        const gate = new Gate();
        let killedBelow = 0;
        for (const { kind, epoch, force } of list) {
          if (kind === "recall") gate.recall(force ? null : epoch);
          else if (kind === "block") gate.block(force);
          else if (kind === "scan") {
            const isIn = gate.admits(scan(epoch, "entry", force));
            // Whoever was handed over cannot come in by what they had before.
            if (isIn) expect(epoch).toBeGreaterThanOrEqual(killedBelow);
            if (isIn) expect(gate.ticket.isBlocked).toBe(false);
          } else {
            const wasLetIn = gate.ticket.highestEpoch;
            const isDone = gate.handOver(epoch) === "done";
            if (isDone && wasLetIn !== null) expect(gate.ticket.revocation?.minEpoch ?? 0).toBeGreaterThanOrEqual(epoch);
            if (isDone) killedBelow = Math.max(killedBelow, epoch);
          }
        }
      }),
      { numRuns: 2_000 },
    );
  });
});
