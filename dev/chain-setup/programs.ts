/**
 * `npm run chain:programs -- --rpc URL`: downloads the Metaplex programs that the service stands on from a cluster. From then on
 * the local chain runs them in place of the emulator, and the tests compare the two.
 */
import { relative } from "node:path";
import { parseArgs } from "node:util";
import { PROGRAMS_CACHE } from "../localnet/program-files.ts";
import { describeCause } from "#services/describe-cause";
import { PROJECT_ROOT } from "../build-bundle.ts";
import { downloadPrograms } from "./download-programs.ts";

const MAINNET = "https://api.mainnet-beta.solana.com";
const USAGE = `usage: npm run chain:programs -- [--rpc URL] (${MAINNET} when left out) [--out FOLDER]`;

async function main(): Promise<void> {
  const options = { rpc: { type: "string", default: MAINNET }, out: { type: "string", default: PROGRAMS_CACHE } } as const;
  const { values } = parseArgs({ options });
  for (const { file, programId, byteCount, sha256 } of await downloadPrograms(values.rpc, values.out)) {
    console.log(`${file.padEnd(28)}${programId.padEnd(46)}${byteCount.toLocaleString("en").padStart(10)} bytes  ${sha256}`);
  }
  console.log(`in ${relative(PROJECT_ROOT, values.out) || values.out}; the local chain runs them from now on`);
}

try {
  await main();
} catch (error) {
  console.error(error instanceof Error ? describeCause(error) : error);
  if (error instanceof TypeError && "code" in error) console.error(USAGE);
  process.exitCode = 1;
}
