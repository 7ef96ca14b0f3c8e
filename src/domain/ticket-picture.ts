/** What a ticket's picture shows; nothing of its owner. */
export interface TicketFacts {
  readonly eventId: string;
  readonly eventName: string;
  readonly venueName: string | null;
  /** Unix milliseconds. */
  readonly startsAtMs: number;
  /** IANA name. */
  readonly timezone: string;
  readonly ticketTypeName: string;
  /** See `formatTicketNumber`. */
  readonly ticketNumber: string;
  readonly isTransferable: boolean;
}

const SIDE = 1000;
const MARGIN = 90;
const TEXT_WIDTH = SIDE - 2 * MARGIN;
/** Where the stub is torn off. */
const TEAR_Y = 700;
const NOTCH = 34;
const TITLE_HEIGHT = 350;
const SMALLEST_TITLE = 54;
const TITLE_SIZES = [104, 84, 68, SMALLEST_TITLE];
const SPACE_EMS = 0.42;
const WIDE_EMS = 1.08;
const EMOJI_EMS = 1.4;
const FONT = "system-ui, 'Segoe UI', Roboto, 'Helvetica Neue', 'Noto Sans', sans-serif";

/**
 * Draws a ticket as a square SVG, the same for the same facts. It has no script, no style sheet and nothing to load. Organisers
 * write the names in it, so every text is escaped.
 */
export function drawTicket(facts: TicketFacts): string {
  const hue = hueOf(facts.eventId);
  const title = fitTitle(facts.eventName);
  const titleStyle = { weight: 800, rightToLeft: runsRightToLeft(facts.eventName) };
  const label = escapeXml(`${facts.eventName}, ${facts.ticketTypeName}, ${facts.ticketNumber}`);
  const parts = [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${SIDE} ${SIDE}" width="${SIDE}" height="${SIDE}" role="img" aria-label="${label}" font-family="${FONT}">`,
    `<title>${label}</title>`,
    drawGround(facts.eventId, hue),
    text(150, 30, `hsl(${hue} 70% 82%)`, describeDate(facts), { weight: 600, spacing: 2 }),
    ...title.lines.map((line, index) =>
      text(150 + 70 + title.size * (0.75 + 1.12 * index), title.size, "#fff", line, titleStyle),
    ),
    ...(facts.venueName === null ? [] : [nameLine(630, 36, "#fff", facts.venueName, { opacity: 0.88 })]),
    text(TEAR_Y + 90, 26, `hsl(${hue} 35% 40%)`, "TICKET", { weight: 600, spacing: 4 }),
    nameLine(TEAR_Y + 155, 52, `hsl(${hue} 45% 18%)`, facts.ticketTypeName, { weight: 700 }),
    text(TEAR_Y + 232, 40, `hsl(${hue} 35% 30%)`, facts.ticketNumber, {
      spacing: 5,
      family: "ui-monospace, monospace",
    }),
    ...(facts.isTransferable ? [] : [drawBadge(hue)]),
    "</svg>",
  ];
  return parts.join("");
}

/** Two colours of one event, the stub, and the notches where it is torn off. */
function drawGround(eventId: string, hue: number): string {
  const second = (hue + 48) % 360;
  return [
    `<defs><linearGradient id="g" x1="0" y1="0" x2="1" y2="1"><stop offset="0" stop-color="hsl(${hue} 62% 22%)"/><stop offset="1" stop-color="hsl(${second} 68% 42%)"/></linearGradient>`,
    `<clipPath id="c"><rect width="${SIDE}" height="${TEAR_Y}"/></clipPath>`,
    `<mask id="m"><rect width="${SIDE}" height="${SIDE}" rx="48" fill="#fff"/><circle cy="${TEAR_Y}" r="${NOTCH}"/><circle cx="${SIDE}" cy="${TEAR_Y}" r="${NOTCH}"/></mask></defs>`,
    `<g mask="url(#m)"><rect width="${SIDE}" height="${SIDE}" fill="hsl(${hue} 40% 96%)"/><rect width="${SIDE}" height="${TEAR_Y}" fill="url(#g)"/>${drawRings(eventId, hue)}</g>`,
    `<path d="M${NOTCH + 24} ${TEAR_Y}H${SIDE - NOTCH - 24}" stroke="#fff" stroke-width="5" stroke-dasharray="2 16" stroke-linecap="round"/>`,
  ].join("");
}

/** Rings from a corner, spaced by the event's id: each event has its own pattern. */
function drawRings(eventId: string, hue: number): string {
  const digits = Array.from(eventId.replaceAll("-", ""), (digit) => Number.parseInt(digit, 16) || 0);
  let radius = 90;
  const rings = digits.slice(0, 11).map((digit) => {
    radius += 44 + digit * 4;
    return `<circle cx="930" cy="640" r="${radius}" stroke-width="${4 + digit}"/>`;
  });
  return `<g clip-path="url(#c)"><g fill="none" stroke="hsl(${(hue + 24) % 360} 85% 78%)" stroke-opacity="0.2">${rings.join("")}</g></g>`;
}

function drawBadge(hue: number): string {
  return [
    `<rect x="590" y="${TEAR_Y + 190}" width="320" height="60" rx="30" fill="hsl(${hue} 45% 18%)"/>`,
    `<text x="750" y="${TEAR_Y + 229}" font-size="26" font-weight="600" fill="#fff" text-anchor="middle">Not transferable</text>`,
  ].join("");
}

interface TextStyle {
  readonly weight?: number;
  readonly spacing?: number;
  readonly opacity?: number;
  readonly family?: string;
  readonly rightToLeft?: boolean;
}

/** A name on one line, cut where it has no room. */
function nameLine(y: number, size: number, fill: string, content: string, style: TextStyle): string {
  return text(y, size, fill, shorten(content, size), { ...style, rightToLeft: runsRightToLeft(content) });
}

function text(y: number, size: number, fill: string, content: string, style: TextStyle = {}): string {
  const { weight, spacing, opacity, family, rightToLeft = false } = style;
  const start = rightToLeft ? `x="${SIDE - MARGIN}" direction="rtl"` : `x="${MARGIN}"`;
  const extra = [
    weight === undefined ? "" : ` font-weight="${weight}"`,
    spacing === undefined ? "" : ` letter-spacing="${spacing}"`,
    opacity === undefined ? "" : ` fill-opacity="${opacity}"`,
    family === undefined ? "" : ` font-family="${family}"`,
  ].join("");
  return `<text ${start} y="${Math.round(y)}" font-size="${size}" fill="${fill}"${extra}>${escapeXml(content)}</text>`;
}

function describeDate({ startsAtMs, timezone }: Pick<TicketFacts, "startsAtMs" | "timezone">): string {
  const options = { weekday: "short", day: "numeric", month: "long", year: "numeric" } as const;
  const words = new Intl.DateTimeFormat("en-GB", { ...options, hour: "2-digit", minute: "2-digit", timeZone: timezone });
  return words.format(startsAtMs);
}

/** The largest size at which the name has room; a name too long for the smallest is cut at its last line. */
function fitTitle(name: string): { readonly size: number; readonly lines: readonly string[] } {
  for (const size of TITLE_SIZES) {
    const lines = wrap(name, size);
    if (lines.length * size * 1.12 <= TITLE_HEIGHT) return { size, lines };
  }
  const lines = wrap(name, SMALLEST_TITLE);
  const kept = lines.slice(0, Math.floor(TITLE_HEIGHT / (SMALLEST_TITLE * 1.12)));
  return { size: SMALLEST_TITLE, lines: kept.map((line, at) => (at === kept.length - 1 ? markCut(line) : line)) };
}

function markCut(line: string): string {
  return shorten(`${line} …………`, SMALLEST_TITLE).replace(/[ …]+$/, "…");
}

/** Lines that fit, broken between words, and inside one only where it is wider than a line (or its script has no spaces). */
function wrap(name: string, size: number): string[] {
  const lineEms = TEXT_WIDTH / size;
  const lines: string[] = [];
  let line = "";
  let room = lineEms;
  const breakLine = (): void => {
    lines.push(line);
    [line, room] = ["", lineEms];
  };
  for (const word of name.split(/\s+/)) {
    const characters = measure(word);
    const wordEms = sumEms(characters);
    if (line !== "" && wordEms + SPACE_EMS > room && wordEms <= lineEms) breakLine();
    if (line !== "") [line, room] = [`${line} `, room - SPACE_EMS];
    for (const { text: character, ems } of characters) {
      if (ems > room) breakLine();
      [line, room] = [line + character, room - ems];
    }
  }
  return [...lines, line].map((found) => found.trimEnd()).filter((found) => found !== "");
}

function shorten(words: string, size: number): string {
  const characters = measure(words);
  let room = TEXT_WIDTH / size;
  if (sumEms(characters) <= room) return words;
  room -= WIDE_EMS;
  let kept = "";
  for (const { text: character, ems } of characters) {
    if (ems > room) break;
    [kept, room] = [kept + character, room - ems];
  }
  return `${kept.trimEnd()}…`;
}

/** What is drawn as one: a letter with its marks, or an emoji with all that is joined to it. Never parted. */
interface Character {
  readonly text: string;
  /** Its width in sizes of the font. */
  readonly ems: number;
}

let segmenter: Intl.Segmenter | undefined;

function measure(words: string): readonly Character[] {
  segmenter ??= new Intl.Segmenter("en", { granularity: "grapheme" });
  return Array.from(segmenter.segment(words), ({ segment }) => ({ text: segment, ems: emsOf(segment) }));
}

function sumEms(characters: readonly Character[]): number {
  return characters.reduce((sum, { ems }) => sum + ems, 0);
}

/** A guess on the safe side of a wide bold font: no font can be measured here. */
function emsOf(character: string): number {
  if (/[\p{Extended_Pictographic}\p{Regional_Indicator}]/u.test(character)) return EMOJI_EMS;
  let ems = 0;
  for (const part of character.replaceAll(/[\p{M}\p{Cf}]/gu, "")) {
    const codePoint = part.codePointAt(0) ?? 0;
    if (codePoint >= 0x1100) ems += 1.05;
    else if (/[MWmw@%&]/.test(part)) ems += WIDE_EMS;
    else if (/[A-Z0-9]/.test(part)) ems += 0.78;
    else if (/[ iljtfrI.,:;'|!()]/.test(part)) ems += SPACE_EMS;
    else ems += 0.7;
  }
  return ems;
}

const RIGHT_TO_LEFT = /[\p{Script=Hebrew}\p{Script=Arabic}\p{Script=Syriac}\p{Script=Thaana}\p{Script=Nko}\p{Script=Adlam}]/u;

/** Words run the way of their first letter, as in Unicode's bidirectional algorithm (rule P2). */
function runsRightToLeft(words: string): boolean {
  return RIGHT_TO_LEFT.test(/\p{L}/u.exec(words)?.[0] ?? "");
}

/** A hue of its own for each event, from its id. */
function hueOf(eventId: string): number {
  let sum = 0;
  for (const character of eventId) sum = (sum * 31 + (character.codePointAt(0) ?? 0)) % 360_000;
  return sum % 360;
}

/** Control characters, which XML does not take even when escaped, become spaces. */
function escapeXml(words: string): string {
  return words
    .replaceAll(/[\p{Cc}\ufffe\uffff]/gu, " ")
    .toWellFormed()
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;")
    .replaceAll("'", "&apos;");
}
