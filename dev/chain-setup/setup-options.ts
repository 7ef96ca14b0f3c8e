import { readFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import { base58 } from "@metaplex-foundation/umi/serializers";
import { isPublicKey } from "@metaplex-foundation/umi";
import { isUuid } from "#domain/ids";
import { MOST_TICKETS_A_TREE } from "#domain/tree-shape";

/** What `npm run chain:setup` was asked for. */
export interface SetupOptions {
  readonly tenantId: string;
  readonly eventIds: readonly string[];
  readonly ticketCount: number;
  /** Which of the tenant's trees: the first is 1. */
  readonly number: number;
  readonly rpcUrl: string;
  readonly minterAddress: string;
  /** Base58 of the owner's 64-byte secret key. */
  readonly ownerSecretKey: string;
  /** Where the service is, without a slash at its end; null when nothing is to be read there or told. */
  readonly serviceUrl: string | null;
  /** An admin's token of the tenant; null prints the calls in place of making them. */
  readonly adminToken: string | null;
  readonly isYes: boolean;
}

/** Something wrong with the command line or the environment; its message is for whoever typed it. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/** How the command is called. */
export const SETUP_USAGE = [
  "usage: npm run chain:setup -- --tenant UUID --tickets N --minter ADDRESS [--event UUID …] [--service URL]",
  "       [--rpc URL] [--number N] [--owner FILE] [--yes]",
  "environment: SOLANA_OWNER_PRIVATE_KEY (in place of --owner), SOLANA_RPC_URL (in place of --rpc), ADMIN_TOKEN",
].join("\n");

/** Reads the command line. @throws UsageError */
export async function parseSetupOptions(
  args: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
): Promise<SetupOptions> {
  const text = { type: "string" } as const;
  const options = { tenant: text, tickets: text, minter: text, service: text, rpc: text, number: text, owner: text };
  const event = { type: "string", multiple: true } as const;
  const { values } = parseArgs({ args: [...args], options: { ...options, event, yes: { type: "boolean" } } });
  const { tenant, minter, tickets, service, event: eventIds = [] } = values;
  if (tenant === undefined || !isUuid(tenant)) throw new UsageError("--tenant must be a lower-case UUID");
  for (const id of eventIds) if (!isUuid(id)) throw new UsageError("--event must be a lower-case UUID");
  if (minter === undefined || !isPublicKey(minter)) throw new UsageError("--minter must be the address of the minting wallet");
  if (eventIds.length > 0 && service === undefined)
    throw new UsageError("--event needs --service, which knows the event's name");
  const rpcUrl = values.rpc ?? environment["SOLANA_RPC_URL"];
  if (rpcUrl === undefined || !URL.canParse(rpcUrl)) throw new UsageError("--rpc must be the address of a Solana node");
  if (service !== undefined && !URL.canParse(service)) throw new UsageError("--service must be the address of the service");
  return {
    tenantId: tenant,
    eventIds,
    ticketCount: parseWhole("tickets", tickets, MOST_TICKETS_A_TREE),
    number: parseWhole("number", values.number ?? "1", 1_000_000),
    rpcUrl,
    minterAddress: minter,
    ownerSecretKey: await readOwnerKey(values.owner, environment["SOLANA_OWNER_PRIVATE_KEY"]),
    serviceUrl: service?.replace(/\/+$/, "") ?? null,
    adminToken: environment["ADMIN_TOKEN"] ?? null,
    isYes: values.yes === true,
  };
}

function parseWhole(name: string, text: string | undefined, most: number): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1 || value > most) throw new UsageError(`--${name} must be 1 to ${most}`);
  return value;
}

/** Both forms that Solana's tools write: base58, and a JSON list of 64 numbers. */
async function readOwnerKey(path: string | undefined, variable: string | undefined): Promise<string> {
  if (path === undefined && variable === undefined) {
    throw new UsageError("the owner's key is missing: --owner FILE, or SOLANA_OWNER_PRIVATE_KEY in the environment");
  }
  const text = path === undefined ? (variable ?? "") : await readKeyFile(path);
  if (!text.trim().startsWith("[")) return text.trim();
  try {
    return base58.deserialize(Uint8Array.from(JSON.parse(text) as number[]))[0]; // what is no list of bytes is no key either
  } catch {
    throw new UsageError("the owner's key file is neither base58 nor a list of numbers");
  }
}

async function readKeyFile(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch {
    throw new UsageError(`cannot read the owner's key at ${path}`);
  }
}
