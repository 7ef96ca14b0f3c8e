import { describe, expect, it } from "vitest";
import { readSourceTree, type SourceFile } from "../support/node/source-tree.ts";
import { listBreaches, TIDY_RULES } from "../support/node/tidy-rules.ts";

const tree = readSourceTree();

function countIn(folder: string): number {
  return tree.filter(({ path }) => path.startsWith(folder) && /\.tsx?$/.test(path)).length;
}

/** For each rule, files that break it: proof that it can fail. */
const BREAKING: Readonly<Record<string, readonly SourceFile[]>> = {
  "a file is at most 300 lines": [{ path: "src/domain/long.ts", text: "// x\n".repeat(301) }],
  "a function is at most 70 lines": [
    { path: "src/domain/a.ts", text: `function a() {\n${"a();\n".repeat(70)}}` },
    { path: "dev/a.ts", text: `class A { b() {\n${"a();\n".repeat(70)}} }` },
  ],
  "files are kebab-case": [
    { path: "src/domain/placeOrder.ts", text: "" },
    { path: "src/domain/place_order.ts", text: "" },
  ],
  "names of files and exports say what is inside": [
    { path: "src/http/utils/a.ts", text: "" },
    { path: "src/http/order-helpers.ts", text: "" },
    { path: "src/http/a.ts", text: "export function handleOrder() {}" },
    { path: "src/http/a.ts", text: "export const orderData = 1;" },
    { path: "src/http/a.ts", text: "export class OrderService {}" },
  ],
  "only the composition root is an index or hands on what others export": [
    { path: "src/domain/index.ts", text: "" },
    { path: "src/domain/a.ts", text: 'export * from "./b.ts";' },
    { path: "src/domain/a.ts", text: 'export { b } from "./b.ts";' },
  ],
  "every export has a docstring": [
    { path: "src/domain/a.ts", text: "export const a = 1;" },
    { path: "src/domain/a.ts", text: "// not a docstring\nexport function a() {}" },
    { path: "src/domain/a.ts", text: "/** About a. */\nexport const a = 1;\nexport interface B {}" },
    { path: "src/domain/a.ts", text: "export default {};" },
    { path: "src/http/routes/a.ts", text: 'export const a = defineRoute({\n  method: "get",\n});' },
  ],
  "a type assertion gives its reason on the line or above it": [
    { path: "src/domain/a.ts", text: "const a = b as string;" },
    { path: "src/domain/a.ts", text: "const a = b!;" },
  ],
  "each folder imports only what the table in docs/architecture.md allows": [
    { path: "src/domain/a.ts", text: 'import { b } from "#storage/b";' },
    { path: "src/domain/a.ts", text: 'import type { b } from "../platform/b.ts";' },
    { path: "src/domain/deep/a.ts", text: 'import "../../http/app.ts";' },
    { path: "src/http/routes/a.ts", text: 'import { b } from "#storage/b";' },
    { path: "src/services/order/a.ts", text: 'const b = await import("#durable-objects/order-desk/order-desk");' },
    { path: "durable-objects/a.ts", text: 'import { b } from "#payments/standard-provider";' },
    { path: "src/newcomer/a.ts", text: "" },
  ],
  "no secret and no default secret is in the source": [
    { path: "wrangler.toml", text: `X = "whsec_${"a".repeat(32)}"` },
    { path: "src/config.ts", text: `const key = "sk_test_${"a".repeat(24)}";` },
    { path: "src/config.ts", text: 'const jwtSecret = env.JWT_SECRET ?? "change-me";' },
    { path: "src/config.ts", text: 'const secret = process.env["JWT_SECRET"] || "change-me";' },
    { path: "README.md", text: "-----BEGIN PRIVATE KEY-----" },
    { path: "README.md", text: `curl -H "authorization: Bearer eyJ${"a".repeat(20)}.${"b".repeat(20)}.c"` },
  ],
  "nothing in the source points at a machine, a ticket or a time to come": [
    { path: "README.md", text: "see /home/me/notes" },
    { path: "src/index.ts", text: "// as issue 12 wants" },
    { path: "src/index.ts", text: "// TODO later" },
  ],
};

describe("the source tree", () => {
  it("is really there to be judged", () => {
    expect(countIn("src/")).toBeGreaterThanOrEqual(40);
    expect(countIn("durable-objects/")).toBeGreaterThanOrEqual(8);
    expect(countIn("dev/")).toBeGreaterThanOrEqual(20);
    expect(countIn("tests/")).toBeGreaterThanOrEqual(20);
  });

  it.each(TIDY_RULES)("keeps the rule: $title", (rule) => {
    expect(listBreaches(rule, tree)).toEqual([]);
  });
});

describe("the rules", () => {
  it.each(TIDY_RULES)("can fail: $title", (rule) => {
    const samples = BREAKING[rule.title] ?? [];
    expect(samples).not.toHaveLength(0);
    for (const sample of samples) expect(listBreaches(rule, [sample]), sample.text).not.toEqual([]);
  });

  it("let sound code pass", () => {
    const text = [
      'import { b } from "#domain/b";',
      "/** The words. */",
      'export const WORDS = ["a"] as const;',
      "export type Word = (typeof WORDS)[number];",
      "/** Says a word. */",
      "export function sayWord(metadata: unknown): string {",
      "  return metadata as string; // parsed by the caller",
      "}",
    ].join("\n");
    const sound = { path: "src/services/say-word.ts", text };
    expect(TIDY_RULES.flatMap((rule) => listBreaches(rule, [sound]))).toEqual([]);
  });
});
