/** The project's own files, read and parsed for the tests that judge the source itself. */
import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { parseSync } from "vite";

/** One text file; `path` is relative to the project's root, with forward slashes. */
export interface SourceFile {
  readonly path: string;
  readonly text: string;
}

/** A node of the syntax tree (ESTree with TypeScript's own); `start` and `end` are offsets in the text. */
export interface SyntaxNode {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly [field: string]: unknown;
}

const ROOT = join(import.meta.dirname, "../../..");
const SKIPPED = new Set(["node_modules", ".git", ".wrangler", ".cache", "dist", "coverage", "meta"]);
const TEXT_FILE = /(\.(tsx?|sql|toml|md|json|ya?ml|css|html)|\.example|\/run)$/;

/** Every text file of the project, except what is installed, generated or kept by a run. */
export function readSourceTree(): SourceFile[] {
  return readdirSync(ROOT, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(ROOT, join(entry.parentPath, entry.name)))
    .filter((path) => !path.split("/").some((part) => SKIPPED.has(part)))
    .filter((path) => TEXT_FILE.test(path) && path !== "package-lock.json")
    .map((path) => ({ path, text: readFileSync(join(ROOT, path), "utf8") }));
}

function isNode(value: unknown): value is SyntaxNode {
  return typeof value === "object" && value !== null && "type" in value && "start" in value;
}

/** The nodes directly inside `node`, whatever fields hold them. */
export function childrenOf(node: SyntaxNode): SyntaxNode[] {
  return Object.values(node).flat().filter(isNode);
}

/** Every node of a file, parents before children. */
export function listNodes(file: SourceFile): SyntaxNode[] {
  const { program, errors } = parseSync(file.path, file.text);
  if (errors[0] !== undefined) throw new Error(`${file.path}: ${errors[0].message}`);
  const nodes: SyntaxNode[] = isNode(program) ? [program] : [];
  for (let position = 0; position < nodes.length; position += 1) {
    const node = nodes[position];
    if (node !== undefined) nodes.push(...childrenOf(node));
  }
  return nodes;
}

/** Line of an offset, counted from 1. */
export function lineAt(text: string, offset: number): number {
  return text.slice(0, offset).split("\n").length;
}
