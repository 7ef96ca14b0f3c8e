import { describe, expect, it } from "vitest";
import {
  decideAccept,
  decideOffer,
  decideWithdrawal,
  fingerprintEmail,
  isRecipient,
  transferStatusAt,
  type Offer,
  type PassableTicket,
} from "#domain/transfer";
import { TICKET_STATUSES, TRANSFER_STATUSES } from "#domain/statuses";

const NOW_MS = 1_000_000;
const WEEK_SECONDS = 604_800;

const TICKET: PassableTicket = {
  ownerUserId: "ann",
  status: "SOLD",
  credentialEpoch: 0,
  heldByAddress: null,
  isTransferable: true,
  eventEndsAtMs: NOW_MS + 365 * 86_400_000,
};
const OFFER: Offer = {
  fromUserId: "ann",
  toUserId: "ben",
  emailFingerprint: null,
  status: "PENDING",
  claimedByUserId: null,
  expiresAtMs: NOW_MS + 1,
};
const BEN = { userId: "ben", emailFingerprint: null, isBlacklisted: false };

function codeOf(result: { readonly ok: boolean; readonly failure?: { readonly code: string } }): string {
  return result.failure?.code ?? "ok";
}

describe("offering a ticket", () => {
  it("stands for its time, and never beyond the event", () => {
    const offer = (ticket: Partial<PassableTicket>): unknown =>
      decideOffer({ ...TICKET, ...ticket }, "ann", WEEK_SECONDS, NOW_MS);
    expect(offer({})).toEqual({ ok: true, value: { expiresAtMs: NOW_MS + WEEK_SECONDS * 1000 } });
    expect(offer({ eventEndsAtMs: NOW_MS + 5 })).toEqual({ ok: true, value: { expiresAtMs: NOW_MS + 5 } });
  });

  it.each(TICKET_STATUSES)("of a ticket that is %s is allowed only while it is valid and not used", (status) => {
    const decided = codeOf(decideOffer({ ...TICKET, status }, "ann", WEEK_SECONDS, NOW_MS));
    expect(decided).toBe(status === "SOLD" || status === "TRANSFERRED" ? "ok" : "ticket_not_valid");
  });

  it.each([
    ["somebody else's ticket", { ownerUserId: "eve" }, "not_found"],
    ["a ticket that stays with its buyer", { isTransferable: false }, "ticket_not_transferable"],
    ["a ticket whose asset is in a wallet outside", { heldByAddress: "w" }, "ticket_held_elsewhere"],
    ["a ticket at the moment its event ends", { eventEndsAtMs: NOW_MS }, "ticket_not_transferable"],
    ["a ticket whose epoch cannot rise", { credentialEpoch: 65_535 }, "ticket_not_transferable"],
    ["a ticket whose epoch can rise once more", { credentialEpoch: 65_534 }, "ok"],
  ])("%s is judged as %j: %s", (_, change, code) => {
    expect(codeOf(decideOffer({ ...TICKET, ...change }, "ann", WEEK_SECONDS, NOW_MS))).toBe(code);
  });
});

describe("an offer's time", () => {
  it("is over at its last millisecond, whatever its row says", () => {
    expect(transferStatusAt({ ...OFFER, expiresAtMs: NOW_MS + 1 }, NOW_MS)).toBe("PENDING");
    expect(transferStatusAt({ ...OFFER, expiresAtMs: NOW_MS }, NOW_MS)).toBe("EXPIRED");
    expect(codeOf(decideAccept({ ...OFFER, expiresAtMs: NOW_MS }, TICKET, BEN, NOW_MS))).toBe("transfer_not_pending");
  });

  it("does not run out on one that was claimed in time, nor change one that is settled", () => {
    expect(transferStatusAt({ ...OFFER, claimedByUserId: "ben", expiresAtMs: 1 }, NOW_MS)).toBe("PENDING");
    for (const status of TRANSFER_STATUSES.filter((one) => one !== "PENDING"))
      expect(transferStatusAt({ ...OFFER, status, expiresAtMs: 1 }, NOW_MS)).toBe(status);
  });
});

describe("accepting an offer", () => {
  it.each([
    ["by its recipient", {}, {}, {}, "ok"],
    ["by its sender", {}, {}, { userId: "ann" }, "not_found"],
    ["by a stranger", {}, {}, { userId: "eve" }, "not_found"],
    ["that another of its recipients is accepting", { claimedByUserId: "bob" }, {}, {}, "transfer_not_pending"],
    ["that is settled, by somebody blacklisted", { status: "DECLINED" }, {}, { isBlacklisted: true }, "transfer_not_pending"],
    ["by somebody blacklisted", {}, {}, { isBlacklisted: true }, "user_blacklisted"],
    ["of a ticket that was let in, which the gate will say", {}, { status: "USED" }, {}, "ok"],
    ["of a ticket that has another owner by now", {}, { ownerUserId: "eve" }, {}, "ticket_not_valid"],
    ["of a ticket whose asset is in a wallet outside", {}, { heldByAddress: "w" }, {}, "ticket_held_elsewhere"],
    ["of a type that is kept with its buyers by now", {}, { isTransferable: false }, {}, "ticket_not_transferable"],
    [
      "that they have claimed, on a ticket that may not change hands any more",
      { claimedByUserId: "ben", expiresAtMs: 1 },
      { isTransferable: false },
      { isBlacklisted: true },
      "ok",
    ],
    [
      "that they had claimed and that ended otherwise",
      { claimedByUserId: "ben", status: "CANCELLED" },
      {},
      {},
      "transfer_not_pending",
    ],
  ] as const)("%s is %5$s", (_, offer, ticket, person, code) => {
    expect(codeOf(decideAccept({ ...OFFER, ...offer }, { ...TICKET, ...ticket }, { ...BEN, ...person }, NOW_MS))).toBe(code);
  });
});

describe("ending an offer", () => {
  it("is its sender's to cancel and its recipient's to decline, while nobody is accepting it", () => {
    const end = (userId: string, verb: "CANCELLED" | "DECLINED", change: Partial<Offer> = {}): string =>
      codeOf(decideWithdrawal({ ...OFFER, ...change }, { userId, emailFingerprint: null }, verb, NOW_MS));
    expect([end("ann", "CANCELLED"), end("ben", "DECLINED")]).toEqual(["ok", "ok"]);
    expect([end("ann", "DECLINED"), end("ben", "CANCELLED"), end("eve", "DECLINED")]).toEqual(Array(3).fill("not_found"));
    for (const change of [{ claimedByUserId: "ben" }, { status: "ACCEPTED" }, { expiresAtMs: NOW_MS }] as const) {
      expect([end("ann", "CANCELLED", change), end("ben", "DECLINED", change)]).toEqual(Array(2).fill("transfer_not_pending"));
    }
  });
});

describe("an offer to an address", () => {
  const tenant = "tenant";
  const offer: Offer = { ...OFFER, toUserId: null, emailFingerprint: fingerprintEmail(tenant, "ada@example.org") };

  it("is for who proves it, however it is written, in this tenant, and never for its sender", () => {
    const is = (userId: string, email: string | null, inTenant = tenant): boolean =>
      isRecipient(offer, { userId, emailFingerprint: email === null ? null : fingerprintEmail(inTenant, email) });
    expect([is("ben", "ADA@Example.org"), is("eve", " ada@example.org ")]).toEqual([true, true]);
    expect([
      is("ben", null),
      is("ben", "ada@example.com"),
      is("ben", "ada@example.org", "other"),
      is("ann", "ada@example.org"),
    ]).toEqual(Array(4).fill(false));
  });

  it("is for nobody once its fingerprint is forgotten", () => {
    const forgotten = { ...offer, emailFingerprint: "" };
    expect(isRecipient(forgotten, { userId: "ben", emailFingerprint: fingerprintEmail(tenant, "ada@example.org") })).toBe(
      false,
    );
    expect(isRecipient(forgotten, { userId: "ben", emailFingerprint: null })).toBe(false);
  });
});
