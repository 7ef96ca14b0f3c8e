import { join } from "node:path";
import type { V4WorkerOptionsShape } from "miniflare";
import { unstable_getMiniflareWorkerOptions, unstable_readConfig } from "wrangler";
import { PROJECT_ROOT } from "./build-bundle.ts";

/** What wrangler.toml says, as Miniflare takes it; variables and source are the caller's. */
export type WorkerOptions = V4WorkerOptionsShape;

/**
 * Reads wrangler.toml through wrangler itself: the same D1, queues, Durable Objects and limits as deployed. Wrangler would
 * also read `.dev.vars` beside the file; it is told another folder, so that no secret of this machine reaches a test.
 */
export function readWorkerOptions(): WorkerOptions {
  const config = join(PROJECT_ROOT, "wrangler.toml");
  const userConfigPath = join(PROJECT_ROOT, "node_modules/.without-dev-vars/wrangler.toml");
  // oxlint-disable-next-line typescript/no-unsafe-argument -- wrangler declares its Config in a package that it does not ship
  const { workerOptions } = unstable_getMiniflareWorkerOptions({ ...unstable_readConfig({ config }), userConfigPath });
  const { bindings: _variables, rootPath: _root, ...options } = workerOptions;
  return options;
}
