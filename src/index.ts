import { ClientBans } from "#durable-objects/client-bans/client-bans";
import { EventGate } from "#durable-objects/event-gate/event-gate";
import { InventoryProjector } from "#durable-objects/inventory-projector/inventory-projector";
import { OrderDeskObject } from "#durable-objects/order-desk/order-desk";
import { TicketTypeInventory } from "#durable-objects/ticket-type-inventory/ticket-type-inventory";
import { createApp } from "#http/app";
import { ROUTES } from "#http/routes";
import { readClockMs } from "#platform/clock";
import { createLogger } from "#platform/logger";
import { consumeAssets } from "#queues/asset-consumer";
import { consumeDeadLetters } from "#queues/dead-letter-consumer";
import { consumeEventMessages } from "#queues/event-consumer";
import { consumeChainJobs } from "#queues/chain-job-consumer";
import { consumeMints } from "#queues/mint-consumer";
import type { AssetContext } from "#services/assets/advance-asset";
import { runCron } from "#services/upkeep/run-cron";
import { compose, createCronContext, createDeskReach, createEventContext, createMintContext } from "./compose.ts";
import type { Env } from "./config.ts";

export { ClientBans, EventGate, InventoryProjector, TicketTypeInventory };

/** The order desk with what it reaches in this deployment. */
export class OrderDesk extends OrderDeskObject<Env> {
  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env, createDeskReach(env));
  }
}

const app = createApp({ routes: ROUTES, compose, logger: createLogger("http"), readClockMs });

const DEAD_LETTER_QUEUE = "mint-dead-letters";
const EVENT_QUEUE = "events";
const ASSET_QUEUE = "assets";
const CHAIN_JOB_QUEUE = "chain-jobs";

async function createAssetContext(env: Env): Promise<AssetContext> {
  const ctx = createCronContext(env, readClockMs());
  return { ...ctx, ...(await ctx.assetChain()), logger: createLogger("assets") };
}

/** The Worker's handlers: requests, queue batches and the cron trigger. */
export default {
  fetch: (request, env, ctx) => app.fetch(request, env, ctx),

  async queue(batch, env) {
    if (batch.queue === EVENT_QUEUE) return consumeEventMessages(createEventContext(env), batch);
    if (batch.queue === ASSET_QUEUE) return consumeAssets(await createAssetContext(env), batch);
    const ctx = await createMintContext(env, readClockMs());
    if (batch.queue === CHAIN_JOB_QUEUE) await consumeChainJobs(ctx, batch);
    else await (batch.queue === DEAD_LETTER_QUEUE ? consumeDeadLetters(ctx, batch) : consumeMints(ctx, batch));
  },

  async scheduled(_controller, env) {
    await runCron(createCronContext(env, readClockMs()));
  },
} satisfies ExportedHandler<Env>;
