/** Gives each workerd test file a D1 with every migration applied, and leaves no alarm behind it. */
import { applyD1Migrations } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterAll } from "vitest";
import { closeObjects } from "./close-objects.ts";

await applyD1Migrations(env.DB, env.TEST_D1_MIGRATIONS);

afterAll(closeObjects);
