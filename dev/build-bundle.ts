import { execFile } from "node:child_process";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

/** Root of the project. */
export const PROJECT_ROOT: string = join(import.meta.dirname, "..");

/** The Worker as wrangler would upload it. */
export interface Bundle {
  /** Folder with every module; the caller removes it. */
  readonly directory: string;
  /** File names within the folder, the entry module first. */
  readonly modules: readonly { readonly type: "ESModule" | "Text" | "CompiledWasm"; readonly name: string }[];
}

const ENTRY = "index.js";

/**
 * Builds the minified bundle that `npm run deploy` would upload. Wrangler itself makes it, not esbuild with like settings:
 * what the demo proves and the benchmark measures is then the very thing that is deployed, for a second more of start-up.
 * @param isMinified false keeps names, and a comment before each source file, for a profile that people can read.
 * @throws with wrangler's own words when the source does not build.
 */
export async function buildBundle(isMinified = true): Promise<Bundle> {
  const directory = await mkdtemp(join(tmpdir(), "edge-tickets-bundle-"));
  const wrangler = join(PROJECT_ROOT, "node_modules/wrangler/bin/wrangler.js");
  const env = {
    ...process.env,
    WRANGLER_SEND_METRICS: "false",
    WRANGLER_LOG_PATH: join(directory, "wrangler.log"),
    CI: "true",
  };
  const args = [wrangler, "deploy", "--dry-run", ...(isMinified ? ["--minify"] : []), "--outdir", directory];
  await promisify(execFile)(process.execPath, args, { cwd: PROJECT_ROOT, env }).catch(async (error: unknown) => {
    await rm(directory, { recursive: true, force: true });
    const { stderr, stdout } = error as { stderr?: string; stdout?: string }; // what execFile adds to its error
    throw new Error(`the Worker does not build:\n${stderr ?? ""}${stdout ?? ""}`, { cause: error });
  });
  const names = (await readdir(directory)).filter((name) => /\.(js|sql|wasm)$/.test(name) && name !== ENTRY);
  const typeOf = (name: string) => (name.endsWith(".sql") ? "Text" : name.endsWith(".wasm") ? "CompiledWasm" : "ESModule");
  return { directory, modules: [ENTRY, ...names].map((name) => ({ type: typeOf(name), name })) };
}
