/** `npm run demo`: starts everything on free ports, runs the whole journey over HTTP, checks each claim it prints. */
import { runJourney } from "./demo-journey.ts";
import type { Narrator } from "./demo-scene.ts";
import { generateDevelopmentSecrets } from "./dev-vars.ts";
import { describeLocalnet } from "./localnet/start-localnet.ts";
import { signDevelopmentToken, DEVELOPMENT_TENANT_ID } from "./sign-development-token.ts";
import { startStack } from "./start-stack.ts";

const logLines: string[] = [];

const narrator: Narrator = {
  step: (title) => console.log(`\n${title}`),
  tell: (fact) => console.log(`    ${fact}`),
  claim(text, holds, found) {
    console.log(`  ${holds ? "✓" : "✗"} ${text}`);
    if (!holds) throw new Error(`not so: ${text}${found === undefined ? "" : `; found ${JSON.stringify(found)}`}`);
  },
};

const startedAtMs = Date.now();
const secrets = await generateDevelopmentSecrets();
const stack = await startStack({ secrets, port: 0, onLogLine: (line) => logLines.push(line) });
try {
  console.log(`service ${stack.serviceUrl}, payment provider ${stack.paymentUrl}`);
  console.log(describeLocalnet(stack.localnet));
  await runJourney(
    {
      serviceUrl: stack.serviceUrl,
      providerUrl: stack.paymentUrl,
      rpcUrl: stack.solanaUrl,
      tree: stack.variables["SOLANA_TREE"] ?? "",
      signIn: (role, userId) =>
        signDevelopmentToken(secrets, { role, tenantId: DEVELOPMENT_TENANT_ID, ...(userId === undefined ? {} : { userId }) }),
    },
    narrator,
  );
  console.log(`\nAll of it held, in ${((Date.now() - startedAtMs) / 1000).toFixed(0)} s.`);
} catch (error) {
  console.error(`\n${error instanceof Error ? error.message : String(error)}`);
  console.error("The service's last log lines:");
  for (const line of logLines.slice(-20)) console.error(`  ${line}`);
  process.exitCode = 1;
} finally {
  await stack.close();
}
