import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { base58 } from "@metaplex-foundation/umi/serializers";
import { describe, expect, it } from "vitest";
import { formatCostTables } from "#dev/chain-setup/cost-tables";
import { measureMintCosts } from "#dev/chain-setup/measure-mints";
import { parseSetupOptions } from "#dev/chain-setup/setup-options";
import { generateSolanaAddress, generateSolanaWallet } from "#dev/secrets";
import { capacityOf, chooseTreeShape, countTreeBytes, isNearlyFull, reserveOf, saysTreeIsFull } from "#domain/tree-shape";

const TENANT = "7e57ab1e-0000-4000-8000-000000000001";
const minter = generateSolanaAddress();
const owner = generateSolanaWallet();
const GOOD = ["--tenant", TENANT, "--tickets", "5000", "--minter", minter, "--rpc", "http://127.0.0.1:8899"];
const ENVIRONMENT = { SOLANA_OWNER_PRIVATE_KEY: owner };

describe("the command line of chain:setup", () => {
  it("is read, with the owner's key from the environment or a file in either form of Solana's tools", async () => {
    const expected = { tenantId: TENANT, ticketCount: 5000, number: 1, minterAddress: minter, isYes: false, serviceUrl: null };
    expect(await parseSetupOptions(GOOD, ENVIRONMENT)).toMatchObject({ ...expected, ownerSecretKey: owner });
    const folder = await mkdtemp(join(tmpdir(), "owner-"));
    for (const text of [`${owner}\n`, JSON.stringify([...base58.serialize(owner)])]) {
      const path = join(folder, "owner");
      await writeFile(path, text);
      expect(await parseSetupOptions([...GOOD, "--owner", path], {})).toMatchObject({ ownerSecretKey: owner });
    }
    await rm(folder, { recursive: true });
  });

  it.each([
    [["--tenant", "nobody"], "--tenant"],
    [["--tickets", "0"], "--tickets"],
    [["--tickets", "ten"], "--tickets"],
    [["--tickets", "99999999"], "--tickets"],
    [["--minter", "nobody"], "--minter"],
    [["--rpc", "nowhere"], "--rpc"],
    [["--event", TENANT], "--service"],
    [["--event", "x", "--service", "http://localhost:1"], "--event"],
    [["--number", "0"], "--number"],
    [["--owner", "/nowhere/at/all"], "owner's key"],
  ])("says what is wrong with %j", async (change, word) => {
    await expect(parseSetupOptions([...GOOD, ...change], ENVIRONMENT)).rejects.toThrow(word);
  });

  it("needs the owner's key, and never shows it", async () => {
    await expect(parseSetupOptions(GOOD, {})).rejects.toThrow("SOLANA_OWNER_PRIVATE_KEY");
  });
});

describe("a tree's shape", () => {
  it.each([
    [1, 10],
    [992, 10],
    [993, 12],
    [15_872, 14],
    [15_873, 16],
    [1_048_064, 20],
    [16_776_704, 24],
    [99_999_999, 24],
  ])("is the smallest that takes %i tickets: depth %i", (ticketCount, depth) => {
    expect(chooseTreeShape(ticketCount)).toMatchObject({ depth });
  });

  it.each([
    [{ depth: 14, bufferSize: 64, canopyDepth: 8 }, 48_120],
    [{ depth: 16, bufferSize: 64, canopyDepth: 10 }, 101_432],
    [{ depth: 20, bufferSize: 64, canopyDepth: 10 }, 109_752],
    [{ depth: 24, bufferSize: 64, canopyDepth: 12 }, 314_680],
  ])("tells its account's size: %j", (shape, bytes) => {
    expect(countTreeBytes(shape)).toBe(bytes);
  });

  it("keeps leaves for mints in flight when the next tree has its turn, fewer in a small tree", () => {
    expect([3, 5, 10, 14, 20].map((depth) => reserveOf(capacityOf({ depth })))).toEqual([0, 1, 32, 512, 512]);
    expect(isNearlyFull({ capacity: 32, mintedCount: 30 })).toBe(false);
    expect(isNearlyFull({ capacity: 32, mintedCount: 31 })).toBe(true);
  });

  it.each([
    ['failed on chain: {"InstructionError":[2,{"Custom":6017}]}', true],
    ['Transaction simulation failed: {"InstructionError":[2,{"Custom": 6017}]}', true],
    ["Error processing Instruction 2: custom program error: 0x1781", true],
    ['failed on chain: {"InstructionError":[2,{"Custom":60171}]}', false],
    ["custom program error: 0x17811", false],
    ["expired without landing", false],
  ])("is known to be full from %s: %s", (error, isFull) => {
    expect(saysTreeIsFull(error)).toBe(isFull);
  });
});

describe("the measured costs", () => {
  it("are what the protocol and the cluster take: 95,000 lamports for a mint alone, 91,000 for each of five, 90,500 of ten", async () => {
    const shape = { depth: 14, bufferSize: 64, canopyDepth: 8 };
    const measured = await measureMintCosts([shape]);
    expect([...(measured.shapes[0]?.lamportsByBatch ?? [])]).toEqual([
      [1, 95_000],
      [2, 92_500],
      [3, 90_000 + 5_000 / 3],
      [4, 91_250],
      [5, 91_000],
      [10, 90_500],
    ]);
    const tables = formatCostTables(measured);
    expect(tables).toContain("| 14/64/8 | 15,872 | 48,120 |");
    expect(tables).toContain("A tree's lookup table has 280 bytes and costs 0.002853 SOL once, its transaction included.");
  });
});
