import { getLeafSchemaSerializer, type LeafSchema } from "@metaplex-foundation/mpl-bubblegum";
import { base58 } from "@metaplex-foundation/umi/serializers";

/** Programs that do nothing but keep bytes in the ledger; Bubblegum V2 logs its events through the first. */
const NOOP_PROGRAM_IDS = new Set([
  "mnoopTCrg4p8ry25e4bcWA9XZjbNjMTfgYVGGEdRsf3",
  "noopb9bkMVfRPU8AsbpTUg8AQkHtKwMYZiFUjNRtMmV",
]);

/** A leaf schema event: tag 1 (application data), version 0, u32 length, event type, version, then the schema. */
const APPLICATION_DATA_TAG = 1;
const SCHEMA_OFFSET = 8;

/** What `getTransaction` with encoding `json` answers, as far as it is read here. */
export interface TransactionAnswer {
  readonly transaction: { readonly message: { readonly accountKeys: readonly string[] } };
  readonly meta: {
    readonly err: unknown;
    readonly innerInstructions:
      | readonly {
          readonly instructions: readonly { readonly programIdIndex: number; readonly data: string }[];
        }[]
      | null;
    readonly loadedAddresses?: { readonly writable: readonly string[]; readonly readonly: readonly string[] };
  };
}

/** The bytes that programs logged through a noop program in this transaction, in order. */
export function listNoopEvents(answer: TransactionAnswer): Uint8Array[] {
  const { loadedAddresses, innerInstructions } = answer.meta;
  const keys = [
    ...answer.transaction.message.accountKeys,
    ...(loadedAddresses?.writable ?? []),
    ...(loadedAddresses?.readonly ?? []),
  ];
  return (innerInstructions ?? [])
    .flatMap((group) => group.instructions)
    .filter((instruction) => NOOP_PROGRAM_IDS.has(keys[instruction.programIdIndex] ?? ""))
    .map((instruction) => base58.serialize(instruction.data));
}

/** Every leaf that this transaction wrote, in order, as Bubblegum logged it. */
export function listLeafSchemas(answer: TransactionAnswer): LeafSchema[] {
  return listNoopEvents(answer)
    .filter((bytes) => bytes[0] === APPLICATION_DATA_TAG)
    .map((bytes) => getLeafSchemaSerializer().deserialize(bytes, SCHEMA_OFFSET)[0]);
}
