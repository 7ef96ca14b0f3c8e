import type { V1CompiledTransactionMessage } from "@solana/kit";
import type { CompiledInstruction } from "./transaction-encoding.ts";

/** Set in the config's mask, both of them, where the message says what it pays for its place in a block. */
const PRIORITY_FEE_BITS = 0b11;

/** Headers and payloads of a version 1 message (SIMD-0385) as the instructions that other versions have. */
export function joinInstructions({
  instructionHeaders,
  instructionPayloads,
}: Pick<V1CompiledTransactionMessage, "instructionHeaders" | "instructionPayloads">): CompiledInstruction[] {
  return instructionHeaders.map(({ programAccountIndex }, place) => ({
    programAddressIndex: programAccountIndex,
    accountIndices: instructionPayloads[place]?.instructionAccountIndices ?? [],
    data: new Uint8Array(instructionPayloads[place]?.instructionData ?? []),
  }));
}

/** Instructions as a version 1 message has them; the opposite of {@link joinInstructions}. */
export function splitInstructions(
  instructions: readonly CompiledInstruction[],
): Pick<V1CompiledTransactionMessage, "numInstructions" | "instructionHeaders" | "instructionPayloads"> {
  return {
    numInstructions: instructions.length,
    instructionHeaders: instructions.map(({ programAddressIndex, accountIndices = [], data = new Uint8Array() }) => ({
      programAccountIndex: programAddressIndex,
      numInstructionAccounts: accountIndices.length,
      numInstructionDataBytes: data.length,
    })),
    instructionPayloads: instructions.map(({ accountIndices = [], data = new Uint8Array() }) => ({
      instructionAccountIndices: [...accountIndices],
      instructionData: new Uint8Array(data),
    })),
  };
}

/** Lamports that a version 1 message pays for its place in a block; it names the sum, not a price. */
export function readPriorityFee({
  configMask,
  configValues,
}: Pick<V1CompiledTransactionMessage, "configMask" | "configValues">): number {
  return (configMask & PRIORITY_FEE_BITS) === PRIORITY_FEE_BITS ? Number(configValues[0]?.value ?? 0) : 0;
}
