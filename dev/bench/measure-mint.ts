import { randomUUID } from "node:crypto";
import { generateDevelopmentSecrets, type DevelopmentSecrets } from "../dev-vars.ts";
import { createHttpClient } from "../http-client.ts";
import { findProgramsDir } from "../localnet/program-files.ts";
import { provision, type ProvisionedChain } from "../localnet/provision.ts";
import { describeLocalnet, startLocalnet, type Localnet } from "../localnet/start-localnet.ts";
import { startRuntime, type Runtime } from "../runtime.ts";
import { DEVELOPMENT_TENANT_ID, signDevelopmentToken } from "../sign-development-token.ts";
import { waitFor } from "../wait-for.ts";

/** A million tickets; the shape for which the aims are set. */
const TREE = { depth: 20, bufferSize: 64, canopyDepth: 10 };
/** Rent of a byte on the public clusters, which is less than litesvm asks for, and the bytes that each account pays for beside its own. */
const RENT_LAMPORTS_A_BYTE = 5_080;
const ACCOUNT_OVERHEAD_BYTES = 128;
const SLOT_MS = 400;
const ORDERS = 50;
const TICKETS_AN_ORDER = 10;

/** What is on chain of a ticket, beside its id: the longer, the fewer share a transaction. */
interface Wording {
  readonly title: string;
  readonly publicBaseUrl: string;
  readonly eventName: string;
  readonly typeName: string;
}

const WORDINGS: readonly Wording[] = [
  {
    title: "short names (9 bytes) and a short address (58)",
    publicBaseUrl: "https://t.example",
    eventName: "Gala",
    typeName: "A",
  },
  {
    title: "names of 32 bytes and an address of 68",
    publicBaseUrl: "https://tickets.example.com",
    eventName: "Night of the Lamps, Open Air",
    typeName: "Standing",
  },
];

/** Versions of the transactions that tickets are minted in. */
const VERSIONS = ["0", "1"] as const;

interface Bench {
  readonly localnet: Localnet;
  readonly runtime: Runtime;
  readonly provisioned: ProvisionedChain;
  readonly secrets: DevelopmentSecrets;
}

/**
 * Mints free tickets of one event through the whole service, from the order to the final block, on a local chain of its own, and
 * prints what came of it: for short texts and for the longest names, five tickets a transaction by the tree's lookup table, and ten
 * in version 1.
 */
export async function measureMint(): Promise<void> {
  const runs = WORDINGS.flatMap((wording) => VERSIONS.map((version) => ({ wording, version })));
  for (const { wording, version } of runs) {
    const secrets = await generateDevelopmentSecrets();
    const localnet = await startLocalnet({ port: 0, slotMs: SLOT_MS, programsDir: findProgramsDir() });
    console.log(`\n${wording.title}, transactions of version ${version}\n${describeLocalnet(localnet)}`);
    try {
      const provisioned = await provision(localnet.url, secrets.variables["SOLANA_WALLET_PRIVATE_KEY"] ?? "", TREE);
      const bindings = {
        ...secrets.variables,
        SOLANA_RPC_URL: localnet.url,
        SOLANA_TREE: provisioned.tree,
        SOLANA_LOOKUP_TABLE: provisioned.lookupTable,
        SOLANA_TRANSACTION_VERSION: version,
        PUBLIC_BASE_URL: wording.publicBaseUrl,
      };
      const runtime = await startRuntime({ bindings, onLogLine: () => undefined });
      try {
        await measureWording({ localnet, runtime, provisioned, secrets }, wording);
      } finally {
        await runtime.close();
      }
    } finally {
      await localnet.close();
    }
  }
}

async function measureWording(bench: Bench, wording: Wording): Promise<void> {
  const { localnet, provisioned, secrets, runtime } = bench;
  const { cluster } = localnet;
  const api = createHttpClient(runtime.url);
  const sign = (role: "venue_manager" | "user"): Promise<string> =>
    signDevelopmentToken(secrets, { role, tenantId: DEVELOPMENT_TENANT_ID, userId: randomUUID() });
  const [manager, buyer] = await Promise.all([sign("venue_manager"), sign("user")]);
  const sale = await openSale(api, manager, wording);
  const buy = (quantity: number): Promise<string> => placeOrder(api, buyer, sale, quantity);
  // The first ticket makes the collection, whose price belongs to the event and not to a ticket.
  await waitUntilMinted(api, buyer, [await buy(1)]);

  const rpcCalls = (): number => [...localnet.callCounts.values()].reduce((sum, count) => sum + count, 0);
  const mints = (): number => cluster.listSignatures(provisioned.tree).length;
  const before = { calls: rpcCalls(), mints: mints(), lamports: cluster.balanceOf(provisioned.walletAddress) };
  const startedAtMs = performance.now();
  const orderIds: string[] = [];
  for (let order = 0; order < ORDERS; order += 1) orderIds.push(await buy(TICKETS_AN_ORDER));
  await waitUntilMinted(api, buyer, orderIds);
  const seconds = (performance.now() - startedAtMs) / 1000;

  const tickets = ORDERS * TICKETS_AN_ORDER;
  const paid = before.lamports - cluster.balanceOf(provisioned.walletAddress);
  const treeBytes = (cluster.findAccount(provisioned.tree)?.data.length ?? 0) + ACCOUNT_OVERHEAD_BYTES;
  const share = (treeBytes * RENT_LAMPORTS_A_BYTE) / 2 ** TREE.depth;
  const lines: readonly (readonly [string, string])[] = [
    [
      "tickets minted, from the first order to the last final block",
      `${tickets} in ${seconds.toFixed(1)} s, ${(tickets / seconds).toFixed(0)}/s`,
    ],
    ["transactions a ticket", ((mints() - before.mints) / tickets).toFixed(3)],
    ["RPC calls a ticket", ((rpcCalls() - before.calls) / tickets).toFixed(3)],
    ["lamports a ticket", `${(paid / tickets + share).toFixed(0)}, ${share.toFixed(0)} of them rent of the tree`],
  ];
  for (const [what, figure] of lines) console.log(`  ${what.padEnd(62)}${figure}`);
}

type Api = ReturnType<typeof createHttpClient>;

interface Sale {
  readonly eventId: string;
  readonly ticketTypeId: string;
}

async function openSale(api: Api, token: string, { eventName, typeName }: Wording): Promise<Sale> {
  const startsAtMs = Date.now() + 3_600_000;
  const when = { startsAt: new Date(startsAtMs).toISOString(), endsAt: new Date(startsAtMs + 3_600_000).toISOString() };
  const event = { name: eventName, venueName: "Hall", ...when, timezone: "UTC", currency: "EUR" };
  const eventId = await create(api, "/api/v1/events", token, event);
  const type = { eventId, name: typeName, priceCents: 0, quantity: 10_000, maxPerOrder: TICKETS_AN_ORDER };
  return { eventId, ticketTypeId: await create(api, "/api/v1/tickets/types", token, type) };
}

function placeOrder(api: Api, token: string, { eventId, ticketTypeId }: Sale, quantity: number): Promise<string> {
  return create(api, "/api/v1/purchase", token, { eventId, tickets: [{ ticketTypeId, quantity }] });
}

async function create(api: Api, path: string, token: string, body: unknown): Promise<string> {
  const answer = await api("POST", path, { token, body, idempotencyKey: randomUUID() });
  if (answer.status !== 201) throw new Error(`POST ${path} answered ${answer.status}: ${JSON.stringify(answer.body)}`);
  return String(answer.body["id"]);
}

async function waitUntilMinted(api: Api, token: string, orderIds: readonly string[]): Promise<void> {
  for (const orderId of orderIds) {
    await waitFor(`the mints of order ${orderId}`, async () => {
      const { body } = await api("GET", `/api/v1/orders/${orderId}`, { token });
      return body["status"] === "COMPLETED" ? true : undefined;
    });
  }
}
