/** Rules over the source tree, each a pure function from one file to what is wrong in it. */
import { childrenOf, lineAt, listNodes, type SourceFile, type SyntaxNode } from "./source-tree.ts";

/** A rule of the house. */
export interface TidyRule {
  readonly title: string;
  appliesTo(path: string): boolean;
  /** @returns one sentence for each breach, without the path. */
  listBreaches(file: SourceFile): string[];
}

const isTypeScript = (path: string): boolean => /\.tsx?$/.test(path) && !path.endsWith(".d.ts");
const isOurCode = (path: string): boolean => isTypeScript(path) && /^(src|durable-objects|dev)\//.test(path);
const isServiceCode = (path: string): boolean => isTypeScript(path) && /^(src|durable-objects)\//.test(path);
const fileName = (path: string): string => path.split("/").at(-1) ?? path;

/** One list of tables, read as one picture. */
const LONG_FILES = new Set(["src/storage/schema.ts"]);
const MAX_FILE_LINES = 300;
const MAX_FUNCTION_LINES = 70;

const fileLength: TidyRule = {
  title: "a file is at most 300 lines",
  appliesTo: (path) => isTypeScript(path) && !LONG_FILES.has(path),
  listBreaches({ text }) {
    const count = text.trimEnd().split("\n").length;
    return count > MAX_FILE_LINES ? [`${count} lines`] : [];
  },
};

const FUNCTIONS = new Set(["FunctionDeclaration", "FunctionExpression", "ArrowFunctionExpression"]);

const functionLength: TidyRule = {
  title: "a function is at most 70 lines",
  appliesTo: isOurCode,
  listBreaches(file) {
    return listNodes(file)
      .filter((node) => FUNCTIONS.has(node.type))
      .map((node) => ({ first: lineAt(file.text, node.start), last: lineAt(file.text, node.end) }))
      .filter(({ first, last }) => last - first + 1 > MAX_FUNCTION_LINES)
      .map(({ first, last }) => `the function at line ${first} has ${last - first + 1} lines`);
  },
};

const kebabCase: TidyRule = {
  title: "files are kebab-case",
  appliesTo: isTypeScript,
  listBreaches({ path }) {
    return /^[a-z0-9]+(-[a-z0-9]+)*(\.(test|config|d))*\.tsx?$/.test(fileName(path)) ? [] : ["not kebab-case"];
  },
};

/** Words that say nothing about what is inside. */
const EMPTY_WORDS = ["util", "utils", "helper", "helpers", "manager", "data", "info", "process", "handle", "misc", "common"];

const telling: TidyRule = {
  title: "names of files and exports say what is inside",
  appliesTo: isTypeScript,
  listBreaches(file) {
    const parts = file.path.toLowerCase().split(/[/.-]/);
    const inPath = EMPTY_WORDS.filter((word) => parts.includes(word)).map((word) => `"${word}" in the path`);
    const inExports = listExports(file).flatMap(({ name }) => {
      const words = name.split(/(?=[A-Z])|_/).map((word) => word.toLowerCase());
      const empty = EMPTY_WORDS.filter((word) => words.includes(word));
      return empty.map((word) => `"${word}" in the export ${name}`);
    });
    const classes = listExports(file).filter(({ name, node }) => node.type === "ClassDeclaration" && name.endsWith("Service"));
    return [...inPath, ...inExports, ...classes.map(({ name }) => `the class ${name} is called a service`)];
  },
};

const noBarrels: TidyRule = {
  title: "only the composition root is an index or hands on what others export",
  appliesTo: (path) => isTypeScript(path) && path !== "src/index.ts",
  listBreaches(file) {
    const nodes = listNodes(file).filter(
      (node) => /^Export(All|Named)Declaration$/.test(node.type) && isNodeLike(node["source"]),
    );
    const passedOn = nodes.map((node) => `line ${lineAt(file.text, node.start)} hands on another module`);
    return /^index\.tsx?$/.test(fileName(file.path)) ? ["an index file", ...passedOn] : passedOn;
  },
};

function isNodeLike(value: unknown): value is SyntaxNode {
  return typeof value === "object" && value !== null;
}

interface Export {
  readonly name: string;
  /** What is exported; `statement` is the whole export. */
  readonly node: SyntaxNode;
  readonly statement: SyntaxNode;
}

function listExports(file: SourceFile): Export[] {
  const statements = listNodes(file).filter((node) => /^Export(Named|Default)Declaration$/.test(node.type));
  return statements.flatMap((statement): Export[] => {
    const node = statement["declaration"];
    if (!isNodeLike(node)) return [];
    const names = node.type === "VariableDeclaration" ? childrenOf(node).map((declarator) => declarator["id"]) : [node["id"]];
    return names.map((id) => ({ name: isNodeLike(id) ? String(id["name"]) : "default", node, statement }));
  });
}

/** A word list and the type of its words share one docstring. */
const isWordType = (text: string): boolean => /^export type \w+ = \(typeof \w+\)\[number\];$/.test(text);

/** What a route's declaration calls its summary is its docstring: `/openapi.json` shows it to callers. */
const isRoute = (text: string): boolean => /^export const \w+ = defineRoute\(\{/.test(text) && /^  summary: /m.test(text);

const docstrings: TidyRule = {
  title: "every export has a docstring",
  appliesTo: (path) => isOurCode(path) || (isTypeScript(path) && path.startsWith("tests/support/")),
  listBreaches(file) {
    return listExports(file)
      .filter(({ statement }) => {
        const before = file.text.slice(0, statement.start).trimEnd();
        const comment = before.slice(before.lastIndexOf("/*"));
        const documented = before.endsWith("*/") && comment.startsWith("/**");
        const text = file.text.slice(statement.start, statement.end);
        return !documented && !isWordType(text) && !isRoute(text);
      })
      .map(({ name, statement }) => `${name} (line ${lineAt(file.text, statement.start)}) has no docstring`);
  },
};

const reasonedAssertions: TidyRule = {
  title: "a type assertion gives its reason on the line or above it",
  appliesTo: isOurCode,
  listBreaches(file) {
    const lines = file.text.split("\n");
    return listNodes(file)
      .filter((node) => node.type === "TSAsExpression" || node.type === "TSNonNullExpression")
      .filter((node) => !file.text.slice(node.start, node.end).endsWith("as const"))
      .map((node) => ({ first: lineAt(file.text, node.start), last: lineAt(file.text, node.end) }))
      .filter(({ first, last }) => !/\/\/|\*\//.test(lines.slice(Math.max(0, first - 2), last).join("\n")))
      .map(({ last }) => `line ${last} asserts a type without a reason`);
  },
};

/** What each folder may import of ours; `durable-objects` also sees the interface of payment providers. */
const IMPORT_TABLE: Readonly<Record<string, readonly string[]>> = {
  domain: ["domain"],
  platform: ["domain", "platform"],
  storage: ["domain", "platform", "storage"],
  payments: ["domain", "platform", "payments"],
  chain: ["domain", "platform", "chain"],
  services: ["domain", "platform", "storage", "payments", "chain", "services"],
  "durable-objects": ["domain", "platform", "storage", "payments/payment-provider", "durable-objects"],
  http: ["services", "domain", "platform", "config", "http"],
  queues: ["services", "domain", "platform", "config", "queues"],
  pages: ["services", "domain", "platform", "config", "pages"],
};

/** The module of ours that a specifier names, as `folder/…`, or undefined for a package. */
function resolveOurs(path: string, specifier: string): string | undefined {
  if (specifier.startsWith("#")) return specifier.slice(1).replace(/^src\//, "");
  if (!specifier.startsWith(".")) return undefined;
  return new URL(specifier, `file:///${path}`).pathname.slice(1).replace(/^src\//, "");
}

const importTable: TidyRule = {
  title: "each folder imports only what the table in docs/architecture.md allows",
  appliesTo: (path) => isServiceCode(path) && !/^src\/[^/]+$/.test(path),
  listBreaches({ path, text }) {
    const folder = path.startsWith("src/") ? (path.split("/")[1] ?? "") : "durable-objects";
    const allowed = IMPORT_TABLE[folder];
    if (allowed === undefined) return [`the folder ${folder} is not in the table`];
    const specifiers = [...text.matchAll(/(?:from|import)\s*\(?\s*"([^"]+)"/g)].map(([, specifier = ""]) => specifier);
    return specifiers.flatMap((specifier) => {
      const target = resolveOurs(path, specifier);
      if (target === undefined || target.startsWith("migrations/")) return [];
      const isAllowed = allowed.some((name) => target === name || target.startsWith(`${name}/`));
      return isAllowed ? [] : [`imports ${specifier}`];
    });
  },
};

const SECRETS: readonly RegExp[] = [
  /whsec_[A-Za-z0-9+/=]{16,}/,
  /\b[sr]k_(live|test)_[A-Za-z0-9]{8,}/,
  /-----BEGIN [A-Z ]*PRIVATE KEY/,
  /\beyJ[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]+\./,
  /\b\w*(secret|password|private_?key)\w*"?\]?\s*(\?\?|\|\|)=?\s*["'`][^"'`]/i,
];

/** The example secret printed in the Standard Webhooks specification; its signature there is a test vector. */
const PUBLISHED_SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/** The rules and their samples must name what they look for. */
const judgesOthers = (path: string): boolean => !/\/tidy(-rules|\.test)\.ts$/.test(path);

const noSecrets: TidyRule = {
  title: "no secret and no default secret is in the source",
  appliesTo: judgesOthers,
  listBreaches(file) {
    const text = file.text.replaceAll(PUBLISHED_SECRET, "");
    return SECRETS.flatMap((pattern) => pattern.exec(text)?.slice(0, 1) ?? []).map(
      (found) => `looks like a secret: ${found.slice(0, 12)}…`,
    );
  },
};

const WORKPLACE: readonly RegExp[] = [/(^|[\s"'`(])\/(work|root|home)\/\w+/, /\bissues? #?\d+\b/i, /\b(TODO|FIXME)\b/];

const noWorkplace: TidyRule = {
  title: "nothing in the source points at a machine, a ticket or a time to come",
  appliesTo: judgesOthers,
  listBreaches({ text }) {
    return WORKPLACE.flatMap((pattern) => pattern.exec(text)?.slice(0, 1) ?? []).map((found) => `says "${found.trim()}"`);
  },
};

/** All rules, in the order they are reported. */
export const TIDY_RULES: readonly TidyRule[] = [
  fileLength,
  functionLength,
  kebabCase,
  telling,
  noBarrels,
  docstrings,
  reasonedAssertions,
  importTable,
  noSecrets,
  noWorkplace,
];

/** Every breach of a rule in the files it applies to, as `path: what`. */
export function listBreaches(rule: TidyRule, files: readonly SourceFile[]): string[] {
  const applicable = files.filter((file) => rule.appliesTo(file.path));
  return applicable.flatMap((file) => rule.listBreaches(file).map((breach) => `${file.path}: ${breach}`));
}
