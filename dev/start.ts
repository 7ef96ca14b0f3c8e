/** `npm start`: the service with its local chain and payment provider, a seeded event, and tokens to try it with. */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { ROLES } from "#domain/principal";
import { ForeignDatabaseError } from "./apply-migrations.ts";
import { PROJECT_ROOT } from "./build-bundle.ts";
import { claimFolder, FolderInUseError } from "./claim-folder.ts";
import { PortInUseError } from "./claim-port.ts";
import { DevVarsError, ensureDevelopmentSecrets, type DevelopmentSecrets } from "./dev-vars.ts";
import { describeLocalnet } from "./localnet/start-localnet.ts";
import { seedEvent, type Seeded } from "./seed.ts";
import { DEVELOPMENT_TENANT_ID, signDevelopmentToken } from "./sign-development-token.ts";
import { startStack, type Stack } from "./start-stack.ts";
import { describeFirstSteps } from "./first-steps.ts";

const DEFAULT_PORT = 8787;
const MAX_PORT = 65_532;
const STATE = join(PROJECT_ROOT, ".wrangler/state");
/** Each role's own user stays the same over restarts, so that their orders and tickets do. */
const USER_IDS = {
  user: "7e57ab1e-0000-4000-8000-0000000000a1",
  door_staff: "7e57ab1e-0000-4000-8000-0000000000a2",
  venue_manager: "7e57ab1e-0000-4000-8000-0000000000a3",
  admin: "7e57ab1e-0000-4000-8000-0000000000a4",
} as const;
const TOKEN_TTL_SECONDS = 12 * 3600;

class PortError extends Error {}
class ServiceLostError extends Error {}

/** Errors whose message says all that their reader can do. */
const FRIENDLY_ERRORS = [DevVarsError, FolderInUseError, ForeignDatabaseError, PortInUseError, PortError, ServiceLostError];

function readPort(): number {
  const text = process.env["PORT"] ?? String(DEFAULT_PORT);
  const port = Number(text);
  if (!Number.isInteger(port) || port < 1 || port > MAX_PORT)
    throw new PortError(`PORT must be 1 to ${MAX_PORT}, not "${text}"`);
  return port;
}

async function signTokens(secrets: DevelopmentSecrets): Promise<Record<keyof typeof USER_IDS, string>> {
  const sign = (role: keyof typeof USER_IDS): Promise<string> =>
    signDevelopmentToken(secrets, {
      role,
      tenantId: DEVELOPMENT_TENANT_ID,
      userId: USER_IDS[role],
      ttlSeconds: TOKEN_TTL_SECONDS,
    });
  const [user, doorStaff, venueManager, admin] = await Promise.all([
    sign("user"),
    sign("door_staff"),
    sign("venue_manager"),
    sign("admin"),
  ]);
  return { user, door_staff: doorStaff, venue_manager: venueManager, admin };
}

function announce(stack: Stack, seeded: Seeded, tokens: Record<keyof typeof USER_IDS, string>): void {
  const lines = [
    `service on ${stack.serviceUrl}; contract: ${stack.serviceUrl}/openapi.json`,
    `sandbox payment provider on ${stack.paymentUrl}; no money moves`,
    ...(stack.stripeUrl === undefined ? [] : [`fake Stripe on ${stack.stripeUrl}; no money moves there either`]),
    describeLocalnet(stack.localnet),
    "",
    `tenant            ${DEVELOPMENT_TENANT_ID}`,
    `event             ${seeded.eventId}`,
    `ticket types      ${seeded.ticketTypeIds.join(" ")}`,
    "",
    `Tokens for ${TOKEN_TTL_SECONDS / 3600} hours (npm run -s token makes more):`,
    ...ROLES.map((role) => `${role.toUpperCase()}_TOKEN=${tokens[role]}`),
    "",
    ...describeFirstSteps(stack, seeded),
    "",
    "Ctrl-C stops everything; what was sold stays in .wrangler/state. Log lines follow.",
    "",
  ];
  console.log(lines.join("\n"));
}

function stopOnSignal(close: () => Promise<void>): void {
  let stopping = false;
  const stop = (): void => {
    if (stopping) process.exit(130);
    stopping = true;
    close().then(
      () => process.exit(0),
      (error: unknown) => {
        console.error(error);
        process.exit(1);
      },
    );
  };
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    // Miniflare's own listener would end the process at once, with the chain's last blocks and its temporary files left over.
    process.removeAllListeners(signal);
    process.on(signal, stop);
  }
}

async function main(): Promise<void> {
  const port = readPort();
  const secrets = await ensureDevelopmentSecrets();
  if (secrets.created) console.log("Made .dev.vars and .dev.keys.json with fresh secrets for this machine.");
  await mkdir(STATE, { recursive: true });
  const giveUpState = await claimFolder(STATE, port);
  let isQuiet = true;
  const stack = await startStack({
    secrets,
    port,
    persistPath: STATE,
    chainStatePath: join(STATE, "solana.json"),
    onLogLine: (line) => {
      if (!isQuiet) console.log(line);
    },
    onServiceLost: () => {
      endWith(
        new ServiceLostError("the service died and did not start again: run npm start again; all that it answered is kept"),
      );
    },
  });
  stopOnSignal(() => stack.close().then(giveUpState));
  const tokens = await signTokens(secrets);
  const memoryPath = join(STATE, "seed.json");
  const seeded = await seedEvent({ serviceUrl: stack.serviceUrl, token: tokens.venue_manager, memoryPath });
  announce(stack, seeded, tokens);
  isQuiet = false;
}

function endWith(error: unknown): never {
  const friendly = error instanceof Error && FRIENDLY_ERRORS.some((kind) => error instanceof kind);
  console.error(friendly ? error.message : error);
  process.exit(1);
}

try {
  await main();
} catch (error) {
  endWith(error);
}
