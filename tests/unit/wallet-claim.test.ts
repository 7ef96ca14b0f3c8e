import { describe, expect, it } from "vitest";
import {
  decideAnswer,
  decideClaimable,
  decideWallet,
  parseSignature,
  readChallengeId,
  writeClaimMessage,
  type ClaimableTicket,
} from "#domain/wallet-claim";
import { encodeBase58 } from "#domain/base58";

const TICKET: ClaimableTicket = {
  ownerUserId: "ann",
  status: "SOLD",
  admittedAtMs: null,
  isCancelled: false,
  walletAddress: "hers",
  heldByAddress: null,
  isHoldDone: false,
};
/** Its asset was moved outside the service; `isHoldDone` once the old owner's credential is dead. */
const MOVED: ClaimableTicket = { ...TICKET, heldByAddress: "theirs", isHoldDone: true };
const MOVING: ClaimableTicket = { ...MOVED, isHoldDone: false };

function codeOf(decided: { readonly ok: boolean; readonly failure?: { readonly code: string } }): string {
  return decided.failure?.code ?? "ok";
}

describe("a ticket may be claimed", () => {
  it.each<[string, ClaimableTicket, string, string]>([
    ["by its owner", TICKET, "ann", "ok"],
    ["by its owner after it changed hands", { ...TICKET, status: "TRANSFERRED" }, "ann", "ok"],
    ["by nobody else", TICKET, "eve", "not_found"],
    ["by anybody once its asset is outside", MOVED, "eve", "ok"],
    ["by nobody else while its old owner may still come in", MOVING, "eve", "not_found"],
    ["by nobody once it was let in", { ...TICKET, admittedAtMs: 5 }, "ann", "ticket_not_valid"],
    ["by nobody when it is to be burnt", { ...TICKET, isCancelled: true }, "ann", "ticket_not_valid"],
    ["by nobody when it is cancelled", { ...TICKET, status: "CANCELLED" }, "ann", "ticket_not_valid"],
  ])("%s", (_, ticket, userId, code) => {
    expect(codeOf(decideClaimable(ticket, userId))).toBe(code);
  });

  it.each<[string, ClaimableTicket, string, string, string]>([
    ["any but its own", TICKET, "ann", "another", "ok"],
    ["not its own", TICKET, "ann", "hers", "ticket_in_wallet_already"],
    ["the one that has its asset outside", MOVED, "eve", "theirs", "ok"],
    ["no other for its owner, when its asset is outside", MOVED, "ann", "another", "ticket_held_elsewhere"],
    ["no other for anybody else", MOVED, "eve", "another", "not_found"],
    ["not that one while the old owner may still come in", MOVING, "ann", "theirs", "ticket_held_elsewhere"],
  ])("with this wallet: %s", (_, ticket, userId, wallet, code) => {
    expect(codeOf(decideWallet(ticket, userId, wallet))).toBe(code);
  });
});

describe("an answer to a challenge", () => {
  const challenge = {
    id: "01234567-89ab-4cde-8f01-23456789abcd",
    ticketId: "ticket",
    userId: "ann",
    walletAddress: "hers",
    issuedAtMs: 0,
    expiresAtMs: 600_000,
    claimedAtMs: null,
  };
  const site = { publicBaseUrl: "https://tickets.test", solanaCluster: "localnet" } as const;
  const message = writeClaimMessage(challenge, site);
  const answer = { ticketId: "ticket", userId: "ann", message };

  it("is taken up to its last millisecond, once, from whom and for what it was given out, word for word", () => {
    expect(decideAnswer(challenge, answer, site, 599_999)).toEqual({ ok: true, value: challenge });
    expect(codeOf(decideAnswer(challenge, answer, site, 600_000))).toBe("claim_challenge_expired");
    expect(codeOf(decideAnswer({ ...challenge, claimedAtMs: 5 }, answer, site, 9))).toBe("claim_challenge_used");
    for (const other of [{ ticketId: "another" }, { userId: "eve" }]) {
      expect(codeOf(decideAnswer(challenge, { ...answer, ...other }, site, 9))).toBe("claim_challenge_unknown");
    }
    expect(codeOf(decideAnswer(undefined, answer, site, 9))).toBe("claim_challenge_unknown");
    expect(codeOf(decideAnswer(challenge, { ...answer, message: `${message} ` }, site, 9))).toBe("claim_message_mismatch");
  });

  it("names its challenge by the nonce alone", () => {
    expect(readChallengeId(message)).toBe(challenge.id);
    expect(readChallengeId(message.replace("Nonce: ", "Nonce: 0"))).toBeUndefined();
  });

  it("is signed with 64 bytes, in base58 or base64", () => {
    const bytes = Uint8Array.from({ length: 64 }, (_, at) => 251 + at * 3);
    expect(parseSignature(encodeBase58(bytes))).toEqual(bytes);
    expect(parseSignature(btoa(String.fromCodePoint(...bytes)))).toEqual(bytes);
    expect(parseSignature(encodeBase58(bytes.subarray(1)))).toBeUndefined();
    expect(parseSignature(btoa(String.fromCodePoint(...bytes.subarray(3))))).toBeUndefined();
    expect(parseSignature("no signature")).toBeUndefined();
  });
});
