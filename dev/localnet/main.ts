/**
 * Runs the local chain on its own: `node dev/localnet/main.ts --port 8899 [--slot-ms 400] [--state FILE]`. Ctrl-C stops it.
 * The real programs run once `npm run chain:programs` has downloaded them, or from the folder named by `SOLANA_PROGRAMS_DIR`.
 */
import { parseArgs } from "node:util";
import { findProgramsDir } from "./program-files.ts";
import { describeLocalnet, startLocalnet } from "./start-localnet.ts";

const { values } = parseArgs({
  options: {
    port: { type: "string", default: "8899" },
    "slot-ms": { type: "string", default: "400" },
    state: { type: "string" },
  },
});

const localnet = await startLocalnet({
  port: Number(values.port),
  programsDir: findProgramsDir(),
  slotMs: Number(values["slot-ms"]),
  stateFile: values.state,
});
console.log(describeLocalnet(localnet));

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.once(signal, () => {
    void localnet.close();
  });
}
