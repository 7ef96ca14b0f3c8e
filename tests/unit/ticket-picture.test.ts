import { describe, expect, test } from "vitest";
import { drawTicket, type TicketFacts } from "#domain/ticket-picture";

const FACTS: TicketFacts = {
  eventId: "646398e0-2516-43cc-9fa0-849cd2c1aad9",
  eventName: "Summer Concert",
  venueName: "Town Hall",
  startsAtMs: Date.UTC(2035, 6, 1, 18),
  timezone: "Europe/Berlin",
  ticketTypeName: "Standing",
  ticketNumber: "88CW-M82Q",
  isTransferable: true,
};

const FAMILY = "👩‍👩‍👧‍👦";

interface DrawnText {
  readonly words: string;
  readonly x: string;
  readonly rightToLeft: boolean;
}

/** The lines of text in a picture, from top to bottom; the first is the date. */
function readTexts(facts: Partial<TicketFacts>): DrawnText[] {
  const texts = drawTicket({ ...FACTS, ...facts }).matchAll(/<text ([^>]*)>([^<]*)<\/text>/g);
  return Array.from(texts, ([, attributes = "", words = ""]) => ({
    words,
    x: /\bx="(\d+)"/.exec(attributes)?.[1] ?? "",
    rightToLeft: attributes.includes('direction="rtl"'),
  }));
}

describe("the picture of a ticket", () => {
  test("sets names of right-to-left scripts from the right, and all else from the left", () => {
    const texts = readTexts({ eventName: "מופע הקיץ: ערב", venueName: "המסרח 3", ticketTypeName: "VIP עמידה" });
    expect(texts).toEqual([
      { words: "Sun, 1 July 2035 at 20:00", x: "90", rightToLeft: false },
      { words: "מופע הקיץ:", x: "910", rightToLeft: true },
      { words: "ערב", x: "910", rightToLeft: true },
      { words: "המסרח 3", x: "910", rightToLeft: true },
      { words: "TICKET", x: "90", rightToLeft: false },
      { words: "VIP עמידה", x: "90", rightToLeft: false },
      { words: "88CW-M82Q", x: "90", rightToLeft: false },
    ]);
  });

  test("takes a name's direction from its first letter, past digits, signs and emoji", () => {
    const [, title] = readTexts({ eventName: "🎉 2035 (مهرجان) Live" });
    expect(title?.rightToLeft).toBe(true);
  });

  test("keeps the direction of the whole name on a line that has only words of the other", () => {
    const lines = readTexts({ eventName: "מופע Philharmonic Orchestra", venueName: null }).slice(1, -3);
    expect(lines.length).toBeGreaterThan(1);
    expect(lines.map(({ rightToLeft }) => rightToLeft)).not.toContain(false);
  });

  test("never parts an emoji of several signs, where a line ends or a name is cut", () => {
    const whole = FAMILY.repeat(22);
    const words = readTexts({ eventName: whole, venueName: whole, ticketTypeName: whole }).map((text) => text.words);
    const names = words.filter((line) => line.includes("👩"));
    expect(names.length).toBeGreaterThan(3);
    for (const name of names) expect(name.replaceAll(FAMILY, "")).toMatch(/^…?$/);
  });

  test("gives an emoji the room of one sign", () => {
    const name = `Rock ${FAMILY} Day`;
    expect(readTexts({ eventName: name })[1]?.words).toBe(name);
  });

  test("does not part a letter from its marks", () => {
    const letter = "e\u0323\u0301";
    const [, , venue] = readTexts({ eventName: "Gala", venueName: letter.repeat(60) });
    expect(venue?.words.replaceAll(letter, "")).toBe("…");
  });

  test("breaks between words, inside one that is wider than a line, and cuts what has no room at all", () => {
    expect(readTexts({ eventName: "Summer Concert in the Park" })[1]?.words).toBe("Summer");
    const words = readTexts({ eventName: `Gala of the ${"Donaudampfschiff".repeat(12)}` }).map((text) => text.words);
    expect(words.slice(1, 3)).toEqual(["Gala of the Donaudampfs", "chiffDonaudampfschiffDo"]);
    expect(words[5]).toMatch(/^[a-zD]+…$/);
    expect(words[6]).toBe("Town Hall");
  });
});
