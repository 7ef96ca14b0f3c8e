import { describe, expect, it } from "vitest";
import { MAX_SIGNED_TRANSACTIONS, decideMintStep, type ChainObservation, type MintJobState } from "#domain/mint";
import { decideRetryDelaySeconds, parseMintMessage } from "#domain/mint-messages";
import { fitOnChainName } from "#domain/on-chain-name";
import { MINT_STATUSES } from "#domain/statuses";

const LAST_VALID = 1_000;
const SEEN = ["succeeded", "failed", "in_flight", "unknown", "unclear"] as const;
const HEIGHTS = [LAST_VALID - 1, LAST_VALID, LAST_VALID + 1];
const ATTEMPTS = [0, 1, MAX_SIGNED_TRANSACTIONS - 1, MAX_SIGNED_TRANSACTIONS];

function* everyJob(): Generator<MintJobState> {
  for (const status of MINT_STATUSES) {
    for (const attempts of ATTEMPTS) {
      for (const isCancelled of [false, true]) {
        yield { status, signature: null, lastValidBlockHeight: null, attempts, isCancelled };
        yield { status, signature: "signature", lastValidBlockHeight: LAST_VALID, attempts, isCancelled };
      }
    }
  }
}

function* everyObservation(): Generator<ChainObservation> {
  for (const seen of SEEN) {
    for (const finalizedBlockHeight of HEIGHTS) {
      yield { seen, finalizedBlockHeight, error: seen === "failed" ? "boom" : null };
    }
  }
}

/** True when the job's transaction can neither be in a block nor come into one. */
function isRuledOut(observation: ChainObservation): boolean {
  if (observation.seen === "failed") return true;
  return observation.seen === "unknown" && observation.finalizedBlockHeight > LAST_VALID;
}

describe("deciding the next step of a mint", () => {
  it("never signs again while a signed transaction could still be in a block, in any state there is", () => {
    let caseCount = 0;
    for (const job of everyJob()) {
      for (const observation of [null, ...everyObservation()]) {
        caseCount += 1;
        const step = decideMintStep(job, observation);
        if ((step.kind !== "sign" && step.kind !== "cancel") || job.signature === null) continue;
        expect(observation !== null && isRuledOut(observation), JSON.stringify({ job, observation })).toBe(true);
      }
    }
    expect(caseCount).toBe(MINT_STATUSES.length * ATTEMPTS.length * 4 * (1 + SEEN.length * HEIGHTS.length));
  });

  it("signs nothing for a cancelled ticket, and ends its job as soon as nothing of it can come on chain", () => {
    for (const job of everyJob()) {
      for (const observation of [null, ...everyObservation()]) {
        const step = decideMintStep({ ...job, isCancelled: true }, observation).kind;
        expect(["sign", "fail"]).not.toContain(step);
        const isOpen = job.status === "QUEUED" || job.status === "SUBMITTED";
        const isOver = job.signature === null || (observation !== null && isRuledOut(observation));
        expect(step === "cancel", JSON.stringify({ job, observation })).toBe(isOpen && isOver);
      }
    }
  });

  it("finishes exactly when the chain has the transaction in a finalized block", () => {
    for (const job of everyJob()) {
      for (const observation of everyObservation()) {
        const isOpen = job.status === "QUEUED" || job.status === "SUBMITTED";
        const expected = isOpen && job.signature !== null && observation.seen === "succeeded";
        expect(decideMintStep(job, observation).kind === "finish").toBe(expected);
      }
    }
  });

  it("stops for jobs that are minted or given up, whatever a late message says", () => {
    for (const job of everyJob()) {
      if (job.status !== "MINTED" && job.status !== "FAILED") continue;
      for (const observation of [null, ...everyObservation()])
        expect(decideMintStep(job, observation)).toEqual({ kind: "stop" });
    }
  });

  it("asks the chain before anything else once there is a signature, even if the job says QUEUED", () => {
    const job: MintJobState = {
      status: "QUEUED",
      signature: "signature",
      lastValidBlockHeight: LAST_VALID,
      attempts: 1,
      isCancelled: false,
    };
    expect(decideMintStep(job, null)).toEqual({ kind: "observe" });
  });

  it.each([
    ["succeeded", LAST_VALID + 1, { kind: "finish" }],
    ["in_flight", LAST_VALID + 1, { kind: "wait" }],
    ["unclear", LAST_VALID + 1, { kind: "wait" }],
    ["unknown", LAST_VALID - 1, { kind: "resend" }],
    ["unknown", LAST_VALID, { kind: "resend" }],
    ["unknown", LAST_VALID + 1, { kind: "sign", error: "expired without landing" }],
    ["failed", LAST_VALID - 1, { kind: "sign", error: "failed on chain: boom" }],
  ] as const)("answers a submitted job that is %s at finalized height %i", (seen, finalizedBlockHeight, expected) => {
    const job: MintJobState = {
      status: "SUBMITTED",
      signature: "signature",
      lastValidBlockHeight: LAST_VALID,
      attempts: 1,
      isCancelled: false,
    };
    expect(decideMintStep(job, { seen, finalizedBlockHeight, error: seen === "failed" ? "boom" : null })).toEqual(expected);
  });

  it("gives up after eight signed transactions, and says why", () => {
    const job: MintJobState = {
      status: "SUBMITTED",
      signature: "s",
      lastValidBlockHeight: LAST_VALID,
      attempts: MAX_SIGNED_TRANSACTIONS,
      isCancelled: false,
    };
    const expired: ChainObservation = { seen: "unknown", finalizedBlockHeight: LAST_VALID + 1, error: null };
    expect(decideMintStep(job, expired)).toEqual({ kind: "fail", error: "expired without landing" });
    expect(decideMintStep({ ...job, attempts: job.attempts - 1 }, expired).kind).toBe("sign");
  });
});

describe("mint messages and names", () => {
  it("waits 1 s first, then twice as long each time, and never more than a minute", () => {
    expect([1, 2, 3, 4, 5, 6, 7, 8, 100].map(decideRetryDelaySeconds)).toEqual([1, 2, 4, 8, 16, 32, 60, 60, 60]);
  });

  it("cuts a name to the 32 bytes that Metaplex takes, never through a character", () => {
    const encoder = new TextEncoder();
    for (const name of ["Gala", "x".repeat(32), "x".repeat(33), "é".repeat(40), "東京ドームのコンサート", "🎟".repeat(20)]) {
      const fitted = fitOnChainName(name);
      expect(encoder.encode(fitted).length).toBeLessThanOrEqual(32);
      expect(fitted).not.toContain("\uFFFD");
      expect(name.startsWith(fitted.replace(/…$/u, ""))).toBe(true);
    }
    expect(fitOnChainName("x".repeat(32))).toBe("x".repeat(32));
    expect(fitOnChainName("x".repeat(33))).toBe(`${"x".repeat(29)}…`);
  });

  it("reads a message with both ids and refuses anything else", () => {
    expect(parseMintMessage({ ticketId: "a", tenantId: "b", more: 1 })).toEqual({ ticketId: "a", tenantId: "b" });
    for (const body of [null, "text", 1, {}, { ticketId: "a" }, { ticketId: 1, tenantId: "b" }])
      expect(parseMintMessage(body)).toBeUndefined();
  });
});
