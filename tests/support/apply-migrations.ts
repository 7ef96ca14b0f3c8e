/** Gives each workerd test file a D1 with every migration applied. */
import { applyD1Migrations } from "cloudflare:test";
import { env } from "cloudflare:workers";

await applyD1Migrations(env.DB, env.TEST_D1_MIGRATIONS);
