import type { Logger } from "#platform/logger";
import type { Surroundings } from "./surroundings.ts";

/** What a desk or a consumer has to say goes to the trace; an assertion that failed in it ends the run. */
export function createWorldLogger(world: Surroundings, name: string): Logger {
  const log = (message: string, fields: { readonly error?: unknown } = {}): void => {
    world.note(`${name}: ${message}`);
    if (fields.error !== undefined) world.noteError(name, fields.error);
  };
  const logger: Logger = { debug: log, info: log, warn: log, error: log, with: () => logger };
  return logger;
}
