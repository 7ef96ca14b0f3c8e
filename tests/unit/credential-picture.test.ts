import { expect, it } from "vitest";
import { encodeBase64Url } from "#domain/base64url";
import { drawCode } from "#services/door/draw-code";

const QUIET_ZONE = 4;

/** Modules of a drawing, true where dark, without the quiet zone. */
function readModules(svg: string, moduleCount: number): boolean[][] {
  const modules = Array.from({ length: moduleCount }, () => Array.from({ length: moduleCount }, () => false));
  for (const [, x, y, width] of svg.matchAll(/M(\d+) (\d+)h(\d+)v1/g)) {
    const row = modules[Number(y) - QUIET_ZONE];
    row?.fill(true, Number(x) - QUIET_ZONE, Number(x) - QUIET_ZONE + Number(width));
  }
  return modules;
}

function newCode(): string {
  return encodeBase64Url(crypto.getRandomValues(new Uint8Array(107)));
}

it("is a QR code of version 8 with its quiet zone, sized by the page that shows it", () => {
  const svg = drawCode(newCode());
  expect(svg).toContain('viewBox="0 0 57 57"'); // 49 modules and 4 light ones on each side
  expect(svg.slice(0, svg.indexOf(">"))).not.toMatch(/ (width|height)=/);
  expect(svg).not.toContain("style=");
  expect(svg).toContain('<path fill="#fff" d="M0 0h57v57H0z"/>');
});

it("is not mirrored, which some scanners cannot read", () => {
  // ISO/IEC 18004: the dark module stands at row 4V+9, column 8; a mirrored code has format bits there, which vary.
  const codes = Array.from({ length: 12 }, () => readModules(drawCode(newCode()), 49));
  expect(codes.every((modules) => modules[41]?.[8])).toBe(true);
  expect(codes.every((modules) => modules[8]?.[41])).toBe(false);
});
