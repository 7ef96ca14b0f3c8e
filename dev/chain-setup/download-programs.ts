import { createHash } from "node:crypto";
import { mkdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createRpcClient, type RpcClient } from "#chain/rpc-client";
import { PROGRAM_FILES } from "../localnet/program-files.ts";
import { encodeBase58 } from "../localnet/transaction-encoding.ts";

/** A program as it was written to the folder. */
export interface DownloadedProgram {
  readonly file: string;
  readonly programId: string;
  readonly byteCount: number;
  /** Hex. */
  readonly sha256: string;
}

const UPGRADEABLE_LOADER = "BPFLoaderUpgradeab1e11111111111111111111111";
const FINAL_LOADERS = ["BPFLoader2111111111111111111111111111111111", "BPFLoader1111111111111111111111111111111111"];

/**
 * Accounts of the upgradeable loader.
 *
 * | account | bytes | content |
 * |---|---|---|
 * | program | 0–3, 4–35 | u32 2, address of its data account |
 * | its data | 0–3, 4–11, 12–44 | u32 3, u64 slot of the last upgrade, optional authority (1 and 32) |
 * | | 45– | the ELF, and zeros up to the account's size |
 */
const PROGRAM_STATE = 2;
const DATA_ADDRESS_OFFSET = 4;
const DATA_STATE = 3;
const ELF_OFFSET = 45;
const ELF_MAGIC = Buffer.from([0x7f, 0x45, 0x4c, 0x46]);

interface RpcAccount {
  readonly data: readonly [string, string];
  readonly owner: string;
}

/**
 * Reads the programs that the service stands on from a cluster, and writes them into a folder. Only whole sets are written: the
 * folder is either as it was or has all four of this cluster.
 * @throws naming the program that the cluster does not have, or what is wrong with it.
 */
export async function downloadPrograms(rpcUrl: string, folder: string): Promise<DownloadedProgram[]> {
  const rpc = createRpcClient(rpcUrl);
  const read: { readonly file: string; readonly programId: string; readonly elf: Buffer }[] = [];
  for (const [programId, file] of PROGRAM_FILES) read.push({ file, programId, elf: await readElf(rpc, programId) });
  const fresh = `${folder}.new`;
  await rm(fresh, { recursive: true, force: true });
  await mkdir(fresh, { recursive: true });
  for (const { file, elf } of read) await writeFile(join(fresh, file), elf);
  await rm(folder, { recursive: true, force: true });
  await rename(fresh, folder);
  return read.map(({ file, programId, elf }) => {
    return { file, programId, byteCount: elf.length, sha256: createHash("sha256").update(elf).digest("hex") };
  });
}

async function readElf(rpc: RpcClient, programId: string): Promise<Buffer> {
  const program = await readAccount(rpc, programId);
  if (program === undefined) throw new Error(`the cluster has no program ${programId}`);
  if (FINAL_LOADERS.includes(program.owner)) return assertElf(program.bytes, programId);
  if (program.owner !== UPGRADEABLE_LOADER || program.bytes.readUInt32LE(0) !== PROGRAM_STATE) {
    throw new Error(`${programId} is no program: it belongs to ${program.owner}`);
  }
  const dataAddress = encodeBase58(program.bytes.subarray(DATA_ADDRESS_OFFSET, DATA_ADDRESS_OFFSET + 32));
  const programData = await readAccount(rpc, dataAddress);
  if (programData === undefined || programData.bytes.readUInt32LE(0) !== DATA_STATE) {
    throw new Error(`the program ${programId} was closed: ${dataAddress} holds no code`);
  }
  return assertElf(programData.bytes.subarray(ELF_OFFSET), programId);
}

function assertElf(bytes: Buffer, programId: string): Buffer {
  if (!bytes.subarray(0, ELF_MAGIC.length).equals(ELF_MAGIC)) throw new Error(`what ${programId} holds is no ELF`);
  return bytes;
}

async function readAccount(rpc: RpcClient, address: string): Promise<{ owner: string; bytes: Buffer } | undefined> {
  const { value } = await rpc.call<{ value: RpcAccount | null }>("getAccountInfo", [address, { encoding: "base64" }]);
  return value === null ? undefined : { owner: value.owner, bytes: Buffer.from(value.data[0], "base64") };
}
