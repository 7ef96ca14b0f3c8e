import { describe, expect, it } from "vitest";
import { fieldsOf, makeDiscountTerms, type DiscountFields } from "#domain/discount-fields";

const NOTHING = {
  percentBps: null,
  amountCents: null,
  scope: null,
  buyQuantity: null,
  getQuantity: null,
  percentOffBps: null,
  untilMs: null,
  firstTickets: null,
  validFromMs: null,
  validUntilMs: null,
  ticketTypeIds: null,
  minQuantity: null,
  minSubtotalCents: null,
  maxUses: null,
  maxUsesUnit: "orders",
  maxUsesPerUser: null,
  stackable: false,
} as const;

function makeFields(change: Partial<DiscountFields> & Pick<DiscountFields, "type">): DiscountFields {
  return { ...NOTHING, code: "CODE", ...change };
}

const PERCENTAGE = { type: "percentage", percentBps: 1_000 } as const;
const BIRD = { type: "early_bird", percentBps: 500, untilMs: 77 } as const;

/** Path and code of each thing that is wrong between the fields. */
function errorsIn(change: Partial<DiscountFields> & Pick<DiscountFields, "type">): unknown[] {
  const made = makeDiscountTerms(makeFields(change));
  return made.ok ? [] : made.failure.map(({ path, code }) => [path, code]);
}

describe("the fields of a discount", () => {
  it.each([
    PERCENTAGE,
    { type: "fixed", amountCents: 500, scope: "order" },
    { type: "bogo", buyQuantity: 2, getQuantity: 1, percentOffBps: 5_000 },
    BIRD,
    { type: "early_bird", amountCents: 5, firstTickets: 9 },
    { ...PERCENTAGE, validFromMs: 5, validUntilMs: 6, ticketTypeIds: ["a", "b"], minQuantity: 2, maxUses: 9, stackable: true },
  ] as const)("are read out of it as they were written into it: %j", (change) => {
    const fields = makeFields(change);
    const made = makeDiscountTerms(fields);
    expect(made.ok && fieldsOf(made.value)).toEqual(fields);
  });

  it("make a buy-and-get free of charge unless they say otherwise, and a code without the blanks around it", () => {
    const made = makeDiscountTerms(makeFields({ type: "bogo", buyQuantity: 2, getQuantity: 1, code: " CODE " }));
    expect(made).toMatchObject({ value: { code: "CODE", rule: { percentOffBps: 10_000 } } });
  });

  it.each<[string, Partial<DiscountFields> & Pick<DiscountFields, "type">, unknown[]]>([
    ["none is given", { type: "fixed" }, ["amountCents", "scope"].map((path) => [path, "required"])],
    ["one is of another type", { ...PERCENTAGE, untilMs: 5 }, [["until", "not_of_type"]]],
    ["both cuts are given", { ...BIRD, amountCents: 5 }, [["percentBps", "exclusive"]]],
    ["an early bird never ends", { ...BIRD, untilMs: null }, [["until", "required"]]],
    ["an early bird ends as it starts", { ...BIRD, validFromMs: 77 }, [["until", "not_after_start"]]],
    ["it ends as it starts", { ...PERCENTAGE, validFromMs: 5, validUntilMs: 5 }, [["validUntil", "not_after_start"]]],
    [
      "a ticket type stands there twice",
      { ...PERCENTAGE, ticketTypeIds: ["a", "a"] },
      [["ticketTypeIds", "duplicate_ticket_type"]],
    ],
  ])("are refused by their names when %s", (_, change, errors) => {
    expect(errorsIn(change)).toEqual(errors);
  });

  it("may end a millisecond after they start, or with the last of the first tickets", () => {
    expect(errorsIn({ ...BIRD, validFromMs: 76, validUntilMs: 77 })).toEqual([]);
    expect(errorsIn({ ...BIRD, untilMs: null, firstTickets: 9, validFromMs: 76 })).toEqual([]);
  });
});
