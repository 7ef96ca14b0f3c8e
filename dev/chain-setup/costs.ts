/**
 * `npm run chain:costs -- [--rpc URL] [--write]`: what a ticket costs on chain, by how many are minted in one transaction and by
 * the shape of their tree. Fees are measured on a local chain; rent is what the cluster behind `--rpc` asks, or the local one.
 * `--write` puts the tables into docs/operations.md.
 */
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { createRpcClient } from "#chain/rpc-client";
import { TREE_SHAPES } from "#domain/tree-shape";
import { PROJECT_ROOT } from "../build-bundle.ts";
import { describeCause } from "#services/describe-cause";
import { formatCostTables } from "./cost-tables.ts";
import { measureMintCosts } from "./measure-mints.ts";

const DOCUMENT = join(PROJECT_ROOT, "docs/operations.md");
const USAGE = "usage: npm run chain:costs -- [--rpc URL] [--write]";
const TABLES = /(<!-- npm run chain:costs -- --write -->\n)[^]*?(<!-- end -->)/;

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { rpc: { type: "string" }, write: { type: "boolean", default: false } } });
  const measured = await measureMintCosts(TREE_SHAPES, values.rpc === undefined ? undefined : createRpcClient(values.rpc));
  const tables = formatCostTables(measured);
  console.log(tables);
  if (!values.write) return;
  const text = await readFile(DOCUMENT, "utf8");
  if (!TABLES.test(text)) throw new Error(`${DOCUMENT} has no place for the tables`);
  await writeFile(
    DOCUMENT,
    text.replace(TABLES, (_, begin: string, end: string) => `${begin}\n${tables}\n\n${end}`),
  );
}

try {
  await main();
} catch (error) {
  console.error(error instanceof Error ? describeCause(error) : error);
  if (error instanceof TypeError && "code" in error) console.error(USAGE);
  process.exitCode = 1;
}
