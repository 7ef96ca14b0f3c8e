/** `.dev.vars` and `.dev.keys.json`: the variables and the token key of this machine, made on the first start. */
import { existsSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parseEnv } from "node:util";
import { PROJECT_ROOT } from "./build-bundle.ts";
import {
  generateCredentialKey,
  generateJwtKeyPair,
  generateSolanaWallet,
  generateStripeSecretKey,
  generateWebhookSecret,
  toJwksText,
  type JwtKeyPair,
} from "./secrets.ts";

/** The service's variables by name, as `.dev.vars` holds them. */
export type Variables = Readonly<Record<string, string>>;

/** What a start needs: the variables, and the private key of the tokens they trust. */
export interface DevelopmentSecrets {
  readonly variables: Variables;
  readonly jwtPrivateJwk: JwtKeyPair["privateJwk"];
}

/** Something about `.dev.vars` that only its owner can put right. Its message is for them, and never holds a value. */
export class DevVarsError extends Error {
  override readonly name = "DevVarsError";
}

const FILES = {
  example: join(PROJECT_ROOT, ".dev.vars.example"),
  variables: join(PROJECT_ROOT, ".dev.vars"),
  keys: join(PROJECT_ROOT, ".dev.keys.json"),
};

const OWNER_ONLY = 0o600;

/** The part of src/config.ts that judges variables. */
interface ConfigModule {
  readonly parseConfig: (
    variables: Variables,
  ) => { readonly ok: true } | { readonly ok: false; readonly failure: readonly Problem[] };
}

interface Problem {
  readonly variable: string;
  readonly problem: string;
}

/** Imported by its address, because the types it names for the Worker's bindings exist only where Node's do not. */
async function importConfig(): Promise<ConfigModule> {
  return (await import(new URL("../src/config.ts", import.meta.url).href)) as ConfigModule; // its parseConfig takes and gives more
}

/** How the variables that `.dev.vars.example` leaves empty are made. */
async function generateValues(jwtKeys: JwtKeyPair): Promise<Variables> {
  // Only here, because it is slow to load and `npm run token` has no use for it.
  const { deriveProvisioned } = await import("./localnet/provision.ts");
  const wallet = generateSolanaWallet();
  const { tree, collection } = await deriveProvisioned(wallet);
  return {
    JWT_JWKS: toJwksText([jwtKeys.publicJwk]),
    PAYMENT_WEBHOOK_SECRETS: generateWebhookSecret(),
    STRIPE_WEBHOOK_SECRETS: generateWebhookSecret(),
    STRIPE_SECRET_KEY: generateStripeSecretKey(),
    INTERNAL_WEBHOOK_SECRETS: generateWebhookSecret(),
    CREDENTIAL_SIGNING_KEYS: generateCredentialKey(1),
    SOLANA_WALLET_PRIVATE_KEY: wallet,
    SOLANA_TREE: tree,
    SOLANA_COLLECTION: collection,
  };
}

/** Puts a generated value after each `NAME=` that stands empty, and keeps every other line as it is. */
function fillIn(example: string, values: Variables): string {
  return example.replaceAll(/^([A-Z][A-Z0-9_]*)=$/gm, (_, name: string) => {
    const value = values[name];
    if (value === undefined) throw new DevVarsError(`.dev.vars.example leaves ${name} empty and nothing generates it`);
    return `${name}='${value}'`;
  });
}

/**
 * The variables of a `.dev.vars` text, judged as the service itself will judge them.
 * @throws DevVarsError naming each variable that is missing or malformed.
 */
async function parseVariables(text: string): Promise<Variables> {
  const variables: Record<string, string> = {};
  for (const [name, value] of Object.entries(parseEnv(text))) if (value !== undefined && value !== "") variables[name] = value;
  const { parseConfig } = await importConfig();
  const config = parseConfig(variables);
  if (config.ok) return variables;
  const problems = config.failure.map(({ variable, problem }) => `${variable}: ${problem}`);
  throw new DevVarsError(`.dev.vars: ${problems.join("; ")} (.dev.vars.example says what it is)`);
}

/** New secrets that live in memory only: for the demo, the benchmark and tests. */
export async function generateDevelopmentSecrets(): Promise<DevelopmentSecrets & { readonly text: string }> {
  const example = await readFile(FILES.example, "utf8");
  const jwtKeys = generateJwtKeyPair();
  const text = fillIn(example, await generateValues(jwtKeys));
  return { variables: await parseVariables(text), jwtPrivateJwk: jwtKeys.privateJwk, text };
}

/** @throws DevVarsError when the files were never made, or one of the two is missing. */
export async function readDevelopmentSecrets(): Promise<DevelopmentSecrets> {
  const [text, keys] = await Promise.all([
    readFile(FILES.variables, "utf8").catch(() => undefined),
    readFile(FILES.keys, "utf8").catch(() => undefined),
  ]);
  if (text === undefined && keys === undefined) throw new DevVarsError("there is no .dev.vars yet: run npm start once");
  if (text === undefined || keys === undefined) {
    const [lost, left] = text === undefined ? [".dev.vars", ".dev.keys.json"] : [".dev.keys.json", ".dev.vars"];
    throw new DevVarsError(`${lost} is gone and belongs to ${left}: delete ${left} too, and npm start makes both anew`);
  }
  return pairSecrets(text, keys);
}

/**
 * The secrets of a `.dev.vars` text and a `.dev.keys.json` text that were made together.
 * @throws DevVarsError when one of them cannot be read, or the service would trust no token signed with that key.
 */
export async function pairSecrets(text: string, keys: string): Promise<DevelopmentSecrets> {
  const variables = await parseVariables(text);
  const jwtPrivateJwk = parseKeys(keys);
  // parseVariables has judged it.
  const trusted = JSON.parse(variables["JWT_JWKS"] ?? '{"keys":[]}') as { readonly keys: readonly JwtKeyPair["publicJwk"][] };
  if (trusted.keys.some(({ kid, n }) => n !== undefined && n === jwtPrivateJwk["n"] && kid === jwtPrivateJwk["kid"]))
    return { variables, jwtPrivateJwk };
  throw new DevVarsError(
    "JWT_JWKS in .dev.vars does not name the key in .dev.keys.json, so no token would be valid: delete both files, and npm start makes both anew",
  );
}

function parseKeys(text: string): DevelopmentSecrets["jwtPrivateJwk"] {
  try {
    const { jwtPrivateJwk } = JSON.parse(text) as { jwtPrivateJwk?: unknown }; // judged on the next line
    if (typeof jwtPrivateJwk === "object" && jwtPrivateJwk !== null) return { ...jwtPrivateJwk };
  } catch {
    // Not JSON: the same advice as for JSON of another shape.
  }
  throw new DevVarsError(".dev.keys.json cannot be read: delete it and .dev.vars, and npm start makes both anew");
}

/** Reads this machine's secrets, and makes them first when there are none. */
export async function ensureDevelopmentSecrets(): Promise<DevelopmentSecrets & { readonly created: boolean }> {
  if (existsSync(FILES.variables) || existsSync(FILES.keys)) return { ...(await readDevelopmentSecrets()), created: false };
  const { variables, jwtPrivateJwk, text } = await generateDevelopmentSecrets();
  await writeFile(FILES.keys, `${JSON.stringify({ jwtPrivateJwk }, null, 2)}\n`, { mode: OWNER_ONLY, flag: "wx" });
  await writeFile(FILES.variables, text, { mode: OWNER_ONLY, flag: "wx" });
  return { variables, jwtPrivateJwk, created: true };
}
