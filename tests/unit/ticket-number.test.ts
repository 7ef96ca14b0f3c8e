import { describe, expect, it } from "vitest";
import { formatTicketNumber } from "#domain/ticket-number";

describe("the number that people tell a ticket by", () => {
  it.each([
    ["00000000-0000-8000-8000-000000000000", "0000-0000"],
    ["00000000-0000-8000-8000-000000000001", "0000-0001"],
    ["00000000-0000-8000-8000-00ffffffffff", "ZZZZ-ZZZZ"],
    // Five bits a letter: here each of the 32 once, in their order.
    ["00000000-0000-8000-8000-0000443214c7", "0123-4567"],
    ["00000000-0000-8000-8000-004254b635cf", "89AB-CDEF"],
    ["00000000-0000-8000-8000-0084653a56d7", "GHJK-MNPQ"],
    ["00000000-0000-8000-8000-00c675be77df", "RSTV-WXYZ"],
  ])("is the last 40 bits of its id in Crockford's letters, of which none looks like another: %s", (ticketId, number) => {
    expect(formatTicketNumber(ticketId)).toBe(number);
  });
});
