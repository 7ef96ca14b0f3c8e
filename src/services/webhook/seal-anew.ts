import { listEndpointsSealedWithOthers, replaceSecret } from "#storage/webhook-endpoints";
import type { ServiceContext } from "../context.ts";
import { openSecrets, sealSecrets } from "./endpoint-secrets.ts";

const ENDPOINTS_A_RUN = 100;

/**
 * Seals endpoints' secrets with the newest key of the ring, so that an older one can be taken out of it. For the cron.
 * @returns how many endpoints. What cannot be opened stays as it is: its key may come back.
 */
export async function sealSecretsAnew(ctx: Pick<ServiceContext, "db" | "sealingKeys" | "nowMs" | "logger">): Promise<number> {
  const keys = await ctx.sealingKeys();
  const rows = await listEndpointsSealedWithOthers(ctx.db, keys.newestKeyId, ENDPOINTS_A_RUN);
  let sealedCount = 0;
  for (const row of rows) {
    const secrets = await openSecrets(keys, row, ctx.nowMs);
    if (secrets && (await replaceSecret(ctx.db, row, await sealSecrets(keys, row.id, secrets)))) sealedCount += 1;
  }
  if (sealedCount < rows.length) {
    ctx.logger.warn("secrets of endpoints could not be sealed anew", { count: rows.length - sealedCount });
  }
  return sealedCount;
}
