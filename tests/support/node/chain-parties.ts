import { importWalletSigner } from "#chain/wallet-signer";
import { openOwner, type Owner } from "#dev/chain-setup/owner";
import { findProgramsDir } from "#dev/localnet/program-files";
import { startLocalnet, type Localnet } from "#dev/localnet/start-localnet";
import { generateSolanaWallet } from "#dev/secrets";
import type { ChainMode } from "./chain-modes.ts";

const PLENTY_LAMPORTS = 100_000_000_000;

/** A local chain whose blocks the test makes. */
export function openChain(mode: ChainMode): Promise<Localnet> {
  const forceEmulator = mode === "emulator";
  return startLocalnet({ port: 0, slotMs: 0, programsDir: findProgramsDir(), forceEmulator });
}

/** Somebody with a key and money on the chain. */
export interface Party extends Owner {
  readonly secretKey: string;
  readonly address: string;
}

/** Makes one. */
export async function openParty(url: string): Promise<Party> {
  const secretKey = generateSolanaWallet();
  const owner = openOwner(url, await importWalletSigner(secretKey));
  await owner.rpc.call("requestAirdrop", [owner.signer.publicKey, PLENTY_LAMPORTS]);
  return { ...owner, secretKey, address: owner.signer.publicKey };
}
