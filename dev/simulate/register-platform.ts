/**
 * Lets plain Node load the Durable Objects (`node --import`): `cloudflare:workers` is our stand-in, and a `.sql` file is its
 * text, as wrangler's Text rule has it in the Worker.
 */
import { readFileSync } from "node:fs";
import { registerHooks } from "node:module";
import { fileURLToPath } from "node:url";

const BASE_CLASS = new URL("durable-object-base.ts", import.meta.url).href;

registerHooks({
  resolve: (specifier, context, nextResolve) =>
    specifier === "cloudflare:workers" ? { url: BASE_CLASS, shortCircuit: true } : nextResolve(specifier, context),
  load: (url, context, nextLoad) => {
    if (!url.endsWith(".sql")) return nextLoad(url, context);
    const text = readFileSync(fileURLToPath(url), "utf8");
    return { format: "module", source: `export default ${JSON.stringify(text)};`, shortCircuit: true };
  },
});
