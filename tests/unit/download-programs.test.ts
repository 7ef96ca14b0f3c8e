import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { address, lamports } from "@solana/kit";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { downloadPrograms } from "#dev/chain-setup/download-programs";
import { findProgramsDir, listMissingPrograms, PROGRAM_FILES } from "#dev/localnet/program-files";
import { provision } from "#dev/localnet/provision";
import { startLocalnet, type Localnet } from "#dev/localnet/start-localnet";
import { decodeBase58 } from "#dev/localnet/transaction-encoding";
import { generateSolanaAddress, generateSolanaWallet } from "#dev/secrets";

const UPGRADEABLE_LOADER = "BPFLoaderUpgradeab1e11111111111111111111111";
const FINAL_LOADER = "BPFLoader2111111111111111111111111111111111";
const programsDir = findProgramsDir();
const hasPrograms = programsDir !== undefined && listMissingPrograms(programsDir).length === 0;

let cluster: Localnet;
let folder: string;

beforeEach(async () => {
  folder = join(await mkdtemp(join(tmpdir(), "programs-")), "cache");
  cluster = await startLocalnet({ port: 0, slotMs: 0, forceEmulator: true });
});
afterEach(async () => {
  await cluster.close();
  await rm(join(folder, ".."), { recursive: true });
});

function store(key: string, owner: string, data: Uint8Array, chain = cluster): void {
  const account = { address: address(key), executable: false, lamports: lamports(10_000_000_000n) };
  chain.cluster.executor.svm.setAccount({ ...account, data, programAddress: address(owner), space: BigInt(data.length) });
}

/** Puts code on the chain as the upgradeable loader keeps it. */
function deploy(programId: string, elf: Uint8Array, chain = cluster): string {
  const dataAddress = generateSolanaAddress();
  const head = Buffer.alloc(45);
  head.writeUInt32LE(3, 0);
  store(dataAddress, UPGRADEABLE_LOADER, Buffer.concat([head, elf]), chain);
  const program = Buffer.alloc(36);
  program.writeUInt32LE(2, 0);
  program.set(decodeBase58(dataAddress), 4);
  store(programId, UPGRADEABLE_LOADER, program, chain);
  return dataAddress;
}

const elfOf = (programId: string): Buffer => Buffer.from(`\x7fELF of ${programId}`, "latin1");

function deployAll(): void {
  for (const [programId] of PROGRAM_FILES) deploy(programId, elfOf(programId));
}

describe("downloading the programs from a cluster", () => {
  it("follows each program to the account that holds its code, and writes that code alone", async () => {
    deployAll();
    const downloaded = await downloadPrograms(cluster.url, folder);
    expect(downloaded.map(({ file }) => file)).toEqual(PROGRAM_FILES.map(([, file]) => file));
    for (const [programId, file] of PROGRAM_FILES) expect(await readFile(join(folder, file))).toEqual(elfOf(programId));
    expect(listMissingPrograms(folder)).toEqual([]);
  });

  it("reads a program that can't be upgraded from its own account", async () => {
    deployAll();
    const [programId = "", file = ""] = PROGRAM_FILES[2] ?? [];
    store(programId, FINAL_LOADER, Buffer.from("\x7fELF at once", "latin1"));
    await downloadPrograms(cluster.url, folder);
    expect(await readFile(join(folder, file), "latin1")).toBe("\x7fELF at once");
  });

  it("replaces what it wrote before", async () => {
    deployAll();
    await downloadPrograms(cluster.url, folder);
    const [programId = "", file = ""] = PROGRAM_FILES[0] ?? [];
    deploy(programId, Buffer.from("\x7fELF, upgraded", "latin1"));
    await downloadPrograms(cluster.url, folder);
    expect(await readFile(join(folder, file), "latin1")).toBe("\x7fELF, upgraded");
  });

  it("leaves the folder as it was when one program is missing, closed or no code, and says which", async () => {
    const [programId = ""] = PROGRAM_FILES[3] ?? [];
    for (const [otherId] of PROGRAM_FILES.slice(0, 3)) deploy(otherId, elfOf(otherId));
    await expect(downloadPrograms(cluster.url, folder)).rejects.toThrow(`no program ${programId}`);
    const dataAddress = deploy(programId, elfOf(programId));
    store(dataAddress, UPGRADEABLE_LOADER, new Uint8Array(45));
    await expect(downloadPrograms(cluster.url, folder)).rejects.toThrow(`${programId} was closed`);
    deploy(programId, Buffer.from("not code"));
    await expect(downloadPrograms(cluster.url, folder)).rejects.toThrow(`${programId} holds is no ELF`);
    store(programId, "11111111111111111111111111111111", new Uint8Array(36));
    await expect(downloadPrograms(cluster.url, folder)).rejects.toThrow(`${programId} is no program`);
    await expect(readdir(folder)).rejects.toThrow("ENOENT");
  });
});

it.skipIf(hasPrograms)("NOT RUN with the real programs: npm run chain:programs downloads them", ({ skip }) => {
  skip();
});

describe.skipIf(!hasPrograms)("the real programs", { timeout: 120_000 }, () => {
  it("come off a chain that runs them, and make another chain run", async () => {
    const source = await startLocalnet({ port: 0, slotMs: 0, programsDir });
    await downloadPrograms(source.url, folder);
    await source.close();
    const target = await startLocalnet({ port: 0, slotMs: 0, programsDir: folder });
    expect(target.mode).toBe("programs");
    const { tree } = await provision(target.url, generateSolanaWallet());
    expect(target.cluster.findAccount(tree)).toBeDefined();
    await target.close();
  });
});
