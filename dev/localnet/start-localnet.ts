import { readFileSync } from "node:fs";
import { join } from "node:path";
import { address } from "@solana/kit";
import { readStateFile, writeStateFile, type ClusterState } from "./cluster-state.ts";
import { Cluster } from "./cluster.ts";
import { createEmulatorExecutor } from "./emulator-executor.ts";
import { createProgramExecutor, createSvm, type Executor } from "./executor.ts";
import { FaultDice, createFaults, type Faults } from "./faults.ts";
import { listMissingPrograms, PROGRAM_FILES } from "./program-files.ts";
import { createRpcMethods } from "./rpc-methods.ts";
import { serveRpc } from "./rpc-server.ts";

/** How the local chain is started. */
export interface LocalnetOptions {
  /** 0 takes a free one. */
  readonly port: number;
  /** Folder with the programs' ELF files; left out, or when one is missing, Bubblegum and mpl-core are emulated. */
  readonly programsDir?: string | undefined;
  /** Milliseconds a slot; 0 makes slots only on `localnet_tick`. */
  readonly slotMs: number;
  /** Slots until a block is final; a real cluster takes about 32. */
  readonly finalityLagSlots?: number;
  /** Keeps the chain in this file over a restart; left out, it is in memory only. */
  readonly stateFile?: string | undefined;
  /** Runs the emulator even where the programs are. */
  readonly forceEmulator?: boolean;
}

/** An address under which the chain is reached. */
export interface LocalNode {
  readonly url: string;
  /** Trouble on purpose; may be changed while it runs. */
  readonly faults: Faults;
}

/** A running local chain. */
export interface Localnet extends LocalNode {
  /** Whose code runs: the real programs, or the emulator. */
  readonly mode: "programs" | "emulator";
  readonly cluster: Cluster;
  /** Calls so far by method name, of all nodes. */
  readonly callCounts: ReadonlyMap<string, number>;
  /** Opens one more node of the same chain, with faults of its own. It ends with the chain. */
  openNode(): Promise<LocalNode>;
  close(): Promise<void>;
}

const DEFAULT_FINALITY_LAG_SLOTS = 4;

/**
 * Starts a Solana JSON-RPC server on 127.0.0.1 over litesvm: real signatures, fees, rent and blockhash life. Bubblegum,
 * account compression and mpl-core are the real programs where `programsDir` holds them, else the emulator.
 */
export async function startLocalnet(options: LocalnetOptions): Promise<Localnet> {
  const executor = createExecutor(options);
  const { stateFile, finalityLagSlots = DEFAULT_FINALITY_LAG_SLOTS } = options;
  const state = stateFile === undefined ? undefined : readStateFile(stateFile);
  const keep = stateFile === undefined ? undefined : (kept: ClusterState) => writeStateFile(stateFile, kept);
  const cluster = new Cluster({ executor, finalityLagSlots, state, keep });
  const callCounts = new Map<string, number>();
  const servers: { close(): Promise<void> }[] = [];
  const openNode = async (port: number): Promise<LocalNode> => {
    const faults = createFaults();
    const dice = new FaultDice(faults);
    const server = await serveRpc(createRpcMethods(cluster, faults, dice), dice, port, (method) => {
      callCounts.set(method, (callCounts.get(method) ?? 0) + 1);
    });
    servers.push(server);
    return { url: server.url, faults };
  };
  const node = await openNode(options.port);
  const timer = options.slotMs > 0 ? setInterval(() => cluster.tick(1), options.slotMs) : undefined;
  return {
    ...node,
    mode: executor.mode,
    cluster,
    callCounts,
    openNode: () => openNode(0),
    async close() {
      clearInterval(timer);
      await Promise.all(servers.map((server) => server.close()));
      keep?.(cluster.exportState());
    },
  };
}

/** The executor that these options ask for. */
export function createExecutor({
  programsDir,
  forceEmulator,
}: Pick<LocalnetOptions, "programsDir" | "forceEmulator">): Executor {
  const svm = createSvm();
  const usesPrograms = forceEmulator !== true && programsDir !== undefined && listMissingPrograms(programsDir).length === 0;
  if (!usesPrograms) return createEmulatorExecutor(svm);
  for (const [programId, file] of PROGRAM_FILES) svm.addProgram(address(programId), readFileSync(join(programsDir, file)));
  return createProgramExecutor(svm);
}

/** One line that says where the chain is and whose code it runs. */
export function describeLocalnet({ url, mode }: Pick<Localnet, "url" | "mode">): string {
  const what =
    mode === "programs"
      ? "the real Metaplex programs"
      : "an emulator of the Metaplex programs (`npm run chain:programs` downloads the real ones)";
  return `local Solana on ${url}, running ${what}; 127.0.0.1 only`;
}
