import { posix } from "node:path";
import { describe, expect, it } from "vitest";
import { readSourceTree, type SourceFile } from "../support/node/source-tree.ts";

const tree = readSourceTree();
const guides = tree.filter(({ path }) => path.endsWith(".md"));

function textOf(path: string): string {
  return tree.find((file) => file.path === path)?.text ?? "";
}

function listMatches(text: string, pattern: RegExp): string[] {
  return [...text.matchAll(pattern)].map(([, match = ""]) => match);
}

/** Words in code marks in the first column of the first table of a section of docs/operations.md, its head left out. */
function listRows(heading: string): string[] {
  const [, section = ""] = textOf("docs/operations.md").split(`\n## ${heading}\n`);
  const [, rows = ""] = /^\|---.*\n((?:\|.*\n)+)/m.exec(section) ?? [];
  return listMatches(rows, /^\| ([^|]+) \|/gm)
    .flatMap((cell) => listMatches(cell, /`([^`]+)`/g))
    .toSorted();
}

/** The anchor that GitHub gives a heading. */
function anchorOf(heading: string): string {
  return heading
    .toLowerCase()
    .replaceAll(/[^\w\- ]/g, "")
    .replaceAll(" ", "-");
}

/** Links of a guide to files and headings of ours that are not there. */
function listDeadLinks({ path, text }: SourceFile): string[] {
  return listMatches(text, /\]\((?!https?:)([^)\s]+)\)/g).filter((link) => {
    const [target = "", anchor] = link.split("#");
    const aim = target === "" ? path : posix.normalize(posix.join(posix.dirname(path), target));
    if (anchor !== undefined)
      return !listMatches(textOf(aim), /^#+ (.*)$/gm)
        .map(anchorOf)
        .includes(anchor);
    return !tree.some((file) => file.path === aim || file.path.startsWith(`${aim}/`));
  });
}

function listUnknownScripts({ text }: SourceFile): string[] {
  const { scripts } = JSON.parse(textOf("package.json")) as { scripts: Record<string, string> }; // npm reads it as such
  return listMatches(text, /npm run (?:-s )?([a-z][\w:-]*)/g).filter((script) => !(script in scripts));
}

describe("docs/operations.md", () => {
  it("says what to do about every alert that the code logs, and about no other", () => {
    const code = tree.filter(({ path }) => /^(src|durable-objects)\//.test(path)).map(({ text }) => text);
    const [, ofPayments = ""] = /type PaymentAlert =([^;]+);/.exec(textOf("src/domain/news-decision.ts")) ?? [];
    const logged = [...code.flatMap((text) => listMatches(text, /\balert: "(\w+)"/g)), ...listMatches(ofPayments, /"(\w+)"/g)];
    expect(listRows("Alerts")).toEqual([...new Set(logged)].toSorted());
  });

  it("names every job of the cron, and no other", () => {
    const jobs = listMatches(textOf("src/services/upkeep/run-cron.ts"), /\{ name: "([^"]+)", run: /g);
    expect(listRows("The cron")).toEqual(jobs.toSorted());
  });

  it("names every variable, and no other", () => {
    expect(listRows("Configuration")).toEqual(
      listMatches(textOf(".dev.vars.example"), /^(?:# )?([A-Z][A-Z0-9_]*)=/gm).toSorted(),
    );
  });
});

describe("the guides", () => {
  it.each(guides)("lead nowhere that is not there: $path", (guide) => {
    expect(listDeadLinks(guide)).toEqual([]);
    expect(listUnknownScripts(guide)).toEqual([]);
  });

  it("are found out when they do", () => {
    const text = "[a](architecture.md#nowhere) [b](#here) [c](adr/gone.md) [d](adr) `npm run gone -- --fast`\n## Here\n";
    const guide = { path: "docs/new.md", text };
    expect(listDeadLinks(guide)).toEqual(["architecture.md#nowhere", "#here", "adr/gone.md"]);
    expect(listUnknownScripts(guide)).toEqual(["gone"]);
  });
});
