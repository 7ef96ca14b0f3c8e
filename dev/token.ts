/**
 * `npm run -s token -- --role R [--tenant UUID] [--user UUID] [--email ADDRESS] [--ttl SECONDS] [--count N]`: JWTs on standard
 * output, one a line, nothing else. Without `--user` each is for a new random user; `--email` counts as verified.
 */
import { parseArgs } from "node:util";
import { ROLES } from "#domain/principal";
import { isUuid } from "#domain/ids";
import { DevVarsError, readDevelopmentSecrets } from "./dev-vars.ts";
import { DEVELOPMENT_TENANT_ID, isRole, signDevelopmentToken, type DevelopmentClaims } from "./sign-development-token.ts";

const USAGE = `usage: npm run -s token -- --role ${ROLES.join("|")} [--tenant UUID] [--user UUID] [--email ADDRESS] [--ttl SECONDS] [--count N]`;
const MAX_COUNT = 100_000;

class UsageError extends Error {}

function parseWhole(name: string, text: string, max: number): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1 || value > max) throw new UsageError(`--${name} must be 1 to ${max}`);
  return value;
}

function parseId(name: string, text: string): string {
  if (!isUuid(text)) throw new UsageError(`--${name} must be a lower-case UUID`);
  return text;
}

function parseCommandLine(): { readonly claims: DevelopmentClaims; readonly count: number } {
  const text = { type: "string" } as const;
  const { values } = parseArgs({ options: { role: text, tenant: text, user: text, email: text, ttl: text, count: text } });
  if (values.role === undefined || !isRole(values.role)) throw new UsageError(`--role must be one of ${ROLES.join(", ")}`);
  const claims = {
    role: values.role,
    tenantId: parseId("tenant", values.tenant ?? DEVELOPMENT_TENANT_ID),
    ...(values.user === undefined ? {} : { userId: parseId("user", values.user) }),
    ...(values.email === undefined ? {} : { verifiedEmail: values.email }),
    ...(values.ttl === undefined ? {} : { ttlSeconds: parseWhole("ttl", values.ttl, 10 * 365 * 86_400) }),
  };
  return { claims, count: values.count === undefined ? 1 : parseWhole("count", values.count, MAX_COUNT) };
}

async function main(): Promise<void> {
  const { claims, count } = parseCommandLine();
  const secrets = await readDevelopmentSecrets();
  for (let made = 0; made < count; made += 1) console.log(await signDevelopmentToken(secrets, claims));
}

try {
  await main();
} catch (error) {
  const isOptionError = error instanceof TypeError && "code" in error;
  if (!(isOptionError || error instanceof UsageError || error instanceof DevVarsError)) throw error;
  process.stderr.write(`${error.message}\n${error instanceof DevVarsError ? "" : `${USAGE}\n`}`);
  process.exitCode = 1;
}
