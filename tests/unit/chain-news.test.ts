import { describe, expect, it } from "vitest";
import { decideLeafNews, type LeafNews, type TicketInNews } from "#domain/chain-news";

const TICKET: TicketInNews = {
  status: "SOLD",
  credentialEpoch: 0,
  admittedAtMs: null,
  isCancelled: false,
  isTransferable: true,
  walletAddress: "home",
  heldByAddress: null,
  isHoldDone: false,
  isMoving: false,
  isAstray: false,
};
const LEAF: LeafNews = { ownerAddress: "away", isBurnt: false, isOurs: false, ticket: TICKET };
const HELD = { heldByAddress: "away", isHoldDone: true };
const BEGUN = { heldByAddress: "away", isHoldDone: false };

function decide(leaf: Partial<LeafNews>, ticket: Partial<TicketInNews> = {}): string {
  return decideLeafNews({ ...LEAF, ticket: { ...TICKET, ...ticket }, ...leaf }, "custody");
}

describe("a change of a leaf", () => {
  it.each<[string, Partial<LeafNews>, Partial<TicketInNews>, string]>([
    ["that takes the asset elsewhere holds the ticket", {}, {}, "hold"],
    ["that takes it out of custody, as nobody but the service can, holds it too", {}, { walletAddress: null }, "hold"],
    ["that leaves it where it belongs does nothing", { ownerAddress: "home" }, {}, "stay"],
    ["into custody does nothing where it belongs there", { ownerAddress: "custody" }, { walletAddress: null }, "stay"],
    ["that the service made does nothing", { isOurs: true }, {}, "stay"],
    ["of an asset that nobody knows waits", { ticket: undefined }, {}, "wait"],
    ["waits while the asset is to be moved", {}, { isMoving: true }, "wait"],
    ["by an earlier owner, from whom it was moved in vain, takes the ticket from nobody", {}, { isAstray: true }, "stay"],
    ["that ends where it was moved to in vain ends that", { ownerAddress: "home" }, { isAstray: true }, "arrive"],
    ["that burns the asset does nothing", { isBurnt: true }, {}, "stay"],
    ["of a used ticket does nothing", {}, { status: "USED" }, "stay"],
    ["of an admitted ticket does nothing", {}, { admittedAtMs: 1 }, "stay"],
    ["of a cancelled ticket does nothing", {}, { status: "CANCELLED" }, "stay"],
    ["of a ticket that is to be burnt does nothing", {}, { isCancelled: true }, "stay"],
    ["of a type that stays with its buyers does nothing", {}, { isTransferable: false }, "stay"],
    ["of a ticket whose epoch cannot rise does nothing", {}, { credentialEpoch: 65_535 }, "stay"],
    ["that was noticed before does nothing", {}, HELD, "stay"],
    ["from one wallet outside to another passes the ticket on", { ownerAddress: "further" }, HELD, "pass_on"],
    ["that brings the asset back releases the ticket", { ownerAddress: "home" }, HELD, "release"],
    ["by the service that brings it back releases it too", { ownerAddress: "home", isOurs: true }, HELD, "release"],
    ["while holding is begun takes that to its end", {}, BEGUN, "hold"],
    ["back home while holding is begun takes that to its end first", { ownerAddress: "home" }, BEGUN, "hold"],
    ["of a ticket let in while holding is begun takes that to its end", {}, { ...BEGUN, status: "USED" }, "hold"],
    ["that burns the asset while holding is begun takes that to its end", { isBurnt: true }, BEGUN, "hold"],
  ])("%s", (_, leaf, ticket, decision) => {
    expect(decide(leaf, ticket)).toBe(decision);
  });
});
