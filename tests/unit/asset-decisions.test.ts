import { describe, expect, it } from "vitest";
import {
  decideAssetStep,
  parseAssetMessage,
  type AssetGoal,
  type AssetSighting,
  type AssetWorkState,
} from "#domain/asset-work";
import { MAX_SIGNED_TRANSACTIONS, type ChainObservation } from "#domain/mint";
import { MINT_STATUSES } from "#domain/statuses";

const LAST_VALID = 1_000;
const SEEN = ["succeeded", "failed", "in_flight", "unknown", "unclear"] as const;
const HEIGHTS = [LAST_VALID - 1, LAST_VALID, LAST_VALID + 1];
const ATTEMPTS = [0, 1, MAX_SIGNED_TRANSACTIONS - 1, MAX_SIGNED_TRANSACTIONS];
const TARGET = "target";
const MOVE: AssetGoal = { kind: "move", toAddress: TARGET };
const BURN: AssetGoal = { kind: "burn" };
const SIGNATURES = [
  { signature: null, lastValidBlockHeight: null },
  { signature: "signature", lastValidBlockHeight: LAST_VALID },
];
const MINTS = [null, ...MINT_STATUSES.flatMap((status) => [false, true].map((isSigned) => ({ status, isSigned })))];
const SIGHTINGS: readonly (AssetSighting | null)[] = [
  null,
  { kind: "unclear" },
  { kind: "burnt" },
  { kind: "held", ownerAddress: TARGET, isFinal: true },
  { kind: "held", ownerAddress: "somebody", isFinal: true },
  { kind: "held", ownerAddress: TARGET, isFinal: false },
  { kind: "held", ownerAddress: "somebody", isFinal: false },
];
const OBSERVATIONS: readonly (ChainObservation | null)[] = [
  null,
  ...SEEN.flatMap((seen) =>
    HEIGHTS.map((finalizedBlockHeight) => ({ seen, finalizedBlockHeight, error: seen === "failed" ? "boom" : null })),
  ),
];

interface Case {
  readonly work: AssetWorkState;
  readonly observation: ChainObservation | null;
  readonly sighting: AssetSighting | null;
}

function listCases(): Case[] {
  const works = [MOVE, BURN].flatMap((goal) =>
    SIGNATURES.flatMap((signed) =>
      ATTEMPTS.flatMap((attempts) =>
        [false, true].flatMap((isCancelled) => MINTS.map((mint) => ({ goal, ...signed, attempts, isCancelled, mint }))),
      ),
    ),
  );
  return works.flatMap((work) =>
    OBSERVATIONS.flatMap((observation) => SIGHTINGS.map((sighting) => ({ work, observation, sighting }))),
  );
}

const CASES = listCases();
const stepOf = ({ work, observation, sighting }: Case) => decideAssetStep(work, observation, sighting);

/** True when nothing that the work has signed can be in a block or come into one. */
function isClear({ work, observation }: Case): boolean {
  if (work.signature === null) return true;
  if (observation === null) return false;
  return observation.seen === "failed" || (observation.seen === "unknown" && observation.finalizedBlockHeight > LAST_VALID);
}

describe("deciding the next step of the work on an asset, in every state there is", () => {
  it("looks at all of them", () => {
    expect(CASES).toHaveLength(2 * 2 * ATTEMPTS.length * 2 * MINTS.length * OBSERVATIONS.length * SIGHTINGS.length);
  });

  it("never signs, gives up or calls it done while a signed transaction could still be in a block", () => {
    for (const each of CASES) {
      if (["sign", "fail", "done", "cancel_mint", "revive_mint", "locate"].includes(stepOf(each).kind)) {
        expect(isClear(each), JSON.stringify(each)).toBe(true);
      }
    }
  });

  it("lands exactly when the chain has the transaction in a finalized block", () => {
    for (const each of CASES) {
      const isFinal = each.work.signature !== null && each.observation?.seen === "succeeded";
      expect(stepOf(each).kind === "land", JSON.stringify(each)).toBe(isFinal);
    }
  });

  it("signs only for an asset that is minted and was found with somebody who shall not have it", () => {
    for (const each of CASES) {
      if (stepOf(each).kind !== "sign") continue;
      const { work, sighting } = each;
      expect(work.mint?.status, JSON.stringify(each)).toBe("MINTED");
      expect(sighting?.kind, JSON.stringify(each)).toBe("held");
      if (work.goal.kind === "move" && sighting?.kind === "held") expect(sighting.ownerAddress).not.toBe(TARGET);
      expect(work.attempts).toBeLessThan(MAX_SIGNED_TRANSACTIONS);
    }
  });

  it("calls work done only for an asset that is finally where it belongs", () => {
    for (const each of CASES.filter((candidate) => stepOf(candidate).kind === "done")) {
      const { work, sighting } = each;
      const place = work.goal.kind === "burn" ? { kind: "burnt" } : { kind: "held", ownerAddress: TARGET, isFinal: true };
      expect(sighting, JSON.stringify(each)).toEqual(place);
    }
  });

  it("signs no move of a cancelled ticket", () => {
    for (const each of CASES.filter(({ work }) => work.goal.kind === "move" && work.isCancelled)) {
      expect(["sign", "locate"], JSON.stringify(each)).not.toContain(stepOf(each).kind);
      if (isClear(each)) expect(stepOf(each).kind).toBe("fail");
    }
  });

  it("ends a mint only for a burn, and only one of which nothing was ever signed", () => {
    for (const each of CASES) {
      const { goal, mint } = each.work;
      const isUnsigned = goal.kind === "burn" && mint !== null && mint.status !== "MINTED" && !mint.isSigned;
      expect(stepOf(each).kind === "cancel_mint", JSON.stringify(each)).toBe(isUnsigned && isClear(each));
    }
  });

  it.each<[string, Partial<AssetWorkState>, ChainObservation["seen"] | null, AssetSighting | null, object]>([
    ["a move without a mint job yet", { mint: null }, null, null, { kind: "wait" }],
    ["a move whose ticket is being minted", { mint: { status: "SUBMITTED", isSigned: true } }, null, null, { kind: "wait" }],
    ["a move whose mint was given up", { mint: { status: "FAILED", isSigned: true } }, null, null, { kind: "wait" }],
    ["a move of a minted ticket", {}, null, null, { kind: "locate" }],
    ["a move whose asset is not to be seen", {}, null, { kind: "unclear" }, { kind: "wait" }],
    ["a move whose asset is there already", {}, null, { kind: "held", ownerAddress: TARGET, isFinal: true }, { kind: "done" }],
    [
      "a move whose asset is elsewhere",
      {},
      null,
      { kind: "held", ownerAddress: "a", isFinal: true },
      { kind: "sign", error: null },
    ],
    ["a move whose asset is burnt", {}, null, { kind: "burnt" }, { kind: "fail", error: "the asset is burnt" }],
    [
      "a burn of what is there",
      { goal: BURN },
      null,
      { kind: "held", ownerAddress: "a", isFinal: true },
      { kind: "sign", error: null },
    ],
    ["a burn of what is burnt", { goal: BURN }, null, { kind: "burnt" }, { kind: "done" }],
    [
      "a burn whose mint is under way",
      { goal: BURN, mint: { status: "SUBMITTED", isSigned: true } },
      null,
      null,
      { kind: "wait" },
    ],
    [
      "a burn whose mint was given up with a signature",
      { goal: BURN, mint: { status: "FAILED", isSigned: true } },
      null,
      null,
      { kind: "revive_mint" },
    ],
    ["a signed move", SIGNATURES[1] ?? {}, null, null, { kind: "observe" }],
    ["a signed move that may land", SIGNATURES[1] ?? {}, "unknown", null, { kind: "resend" }],
    ["a signed move in a block", SIGNATURES[1] ?? {}, "in_flight", null, { kind: "wait" }],
    [
      "a signed move whose proof was stale",
      SIGNATURES[1] ?? {},
      "failed",
      { kind: "held", ownerAddress: "a", isFinal: true },
      { kind: "sign", error: "failed on chain: boom" },
    ],
  ])("answers %s", (_, change, seen, sighting, expected) => {
    const work: AssetWorkState = {
      goal: MOVE,
      signature: null,
      lastValidBlockHeight: null,
      attempts: 1,
      isCancelled: false,
      mint: { status: "MINTED", isSigned: true },
      ...change,
    };
    const observation = seen && { seen, finalizedBlockHeight: LAST_VALID, error: seen === "failed" ? "boom" : null };
    expect(decideAssetStep(work, observation, sighting)).toEqual(expected);
  });
});

describe("a message about assets", () => {
  it("names a ticket or a tree, and anything else is refused", () => {
    expect(parseAssetMessage({ tenantId: "t", ticketId: "k", more: 1 })).toEqual({ tenantId: "t", ticketId: "k" });
    expect(parseAssetMessage({ treeAddress: "tree" })).toEqual({ treeAddress: "tree" });
    for (const body of [null, "text", {}, { treeAddress: 1 }, { ticketId: "k" }])
      expect(parseAssetMessage(body)).toBeUndefined();
  });
});
