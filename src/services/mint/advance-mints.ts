import { decideMintStep, type ChainObservation, type MintStep } from "#domain/mint";
import type { MintMessage } from "#domain/order-messages";
import { findMintTasks, storeMintCancelled, storeMinted, type MintedTicket, type MintTask } from "#storage/mint-jobs";
import { failMint } from "./fail-mint.ts";
import type { MintContext } from "./mint-context.ts";
import { MintOutcomes } from "./mint-outcomes.ts";
import { sendAndNote, signAndSend } from "./sign-mint-batches.ts";

interface Decided {
  readonly task: MintTask;
  readonly step: MintStep;
}

/**
 * Takes the next step of each ticket's mint. Safe to call any number of times and from several deliveries at once: a transaction is
 * sent only after its signature is stored, and stored only by the delivery that wins the compare-and-swap (docs/adr/0006).
 *
 * What the tickets have in common is asked once: one look into D1 for all of them, one call for what became of their transactions,
 * one transaction for several mints (docs/adr/0013). A job that is not in D1 yet comes later: the desk projects it behind the message.
 * @throws when D1 can't be reached at all; nothing is lost, the next delivery walks the same path.
 */
export async function advanceMints(ctx: MintContext, messages: readonly MintMessage[]): Promise<MintOutcomes> {
  const outcomes = new MintOutcomes(ctx.logger);
  const decided = await decideSteps(ctx, await findMintTasks(ctx.db, messages), outcomes);
  const having = (kind: MintStep["kind"]): Decided[] => decided.filter(({ step }) => step.kind === kind);
  outcomes.note(tasksOf(having("stop")), "settled");
  await Promise.all([
    ...having("fail").map(({ task, step }) => outcomes.attempt([task], () => failMint(ctx, task, toError(step), outcomes))),
    ...having("cancel").map(({ task }) => cancel(ctx, task, outcomes)),
    ...groupBySignature(having("finish")).map((tasks) => outcomes.attempt(tasks, () => finish(ctx, tasks, outcomes))),
    ...groupBySignature(having("resend")).map((tasks) => outcomes.attempt(tasks, () => resend(ctx, tasks))),
    signAndSend(ctx, having("sign").map(toSign), outcomes),
  ]);
  return outcomes;
}

async function decideSteps(ctx: MintContext, tasks: readonly MintTask[], outcomes: MintOutcomes): Promise<Decided[]> {
  const first = tasks.map((task) => ({ task, step: decideMintStep(task, null) }));
  const asked = first.filter(({ step }) => step.kind === "observe");
  let observations: ReadonlyMap<string, ChainObservation> = new Map();
  if (asked.length > 0) {
    await outcomes.attempt(tasksOf(asked), async () => {
      observations = await ctx.minter.observe(listSubmitted(tasksOf(asked)));
    });
  }
  return first.map(({ task, step }) => {
    if (step.kind !== "observe") return { task, step };
    const observation = observations.get(task.signature ?? "");
    if (observation?.seen === "unclear") outcomes.note([task], "later", "the node does not know enough to tell");
    return { task, step: observation === undefined ? step : decideMintStep(task, observation) };
  });
}

/** Each transaction once, however many of its tickets are here. */
function listSubmitted(tasks: readonly MintTask[]): { readonly signature: string; readonly lastValidBlockHeight: number }[] {
  const submitted = new Map<string, number>();
  for (const { signature, lastValidBlockHeight } of tasks) {
    if (signature !== null && lastValidBlockHeight !== null) submitted.set(signature, lastValidBlockHeight);
  }
  return [...submitted].map(([signature, lastValidBlockHeight]) => ({ signature, lastValidBlockHeight }));
}

function groupBySignature(decided: readonly Decided[]): MintTask[][] {
  return [...Map.groupBy(tasksOf(decided), ({ signature }) => signature).values()];
}

function tasksOf(decided: readonly Decided[]): MintTask[] {
  return decided.map(({ task }) => task);
}

function toSign({ task, step }: Decided): { readonly task: MintTask; readonly error: string | null } {
  return { task, error: step.kind === "sign" ? step.error : null };
}

function toError(step: MintStep): string {
  return step.kind === "fail" ? step.error : step.kind;
}

async function cancel(ctx: MintContext, task: MintTask, outcomes: MintOutcomes): Promise<void> {
  await outcomes.attempt([task], async () => {
    await storeMintCancelled(ctx.db, task, ctx.nowMs);
    outcomes.note([task], "settled");
  });
}

/** The tickets of one transaction that may still land: the same bytes land at most once. */
async function resend(ctx: MintContext, tasks: readonly MintTask[]): Promise<void> {
  const [first] = tasks;
  if (first !== undefined && first.wireBase64 !== null) await sendAndNote(ctx, tasks, first.wireBase64);
}

/** The tickets of one transaction that is final. Which leaf is whose, the metadata says: its uri ends with the ticket's id. */
async function finish(ctx: MintContext, tasks: readonly MintTask[], outcomes: MintOutcomes): Promise<void> {
  const signature = tasks[0]?.signature ?? "";
  const leaves = await ctx.minter.findMintedLeaves(signature);
  if (leaves === undefined) return;
  const minted = tasks.map((task): MintedTicket => {
    const leaf = leaves.find(({ uri }) => uri.endsWith(`/${task.ticketId}`));
    if (leaf === undefined) throw new Error(`transaction ${signature} minted no leaf for ticket ${task.ticketId}`);
    const { tenantId, ticketId, orderId, treeAddress } = task;
    return { tenantId, ticketId, orderId, treeAddress, signature, assetId: leaf.assetId, leafIndex: leaf.leafIndex };
  });
  await storeMinted(ctx.db, minted, ctx.nowMs);
  outcomes.note(tasks, "settled");
}
