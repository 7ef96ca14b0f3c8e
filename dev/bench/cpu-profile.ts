import { z } from "zod";

/** The parts of a V8 CPU profile that are read here. */
export const cpuProfileSchema = z.object({
  nodes: z.array(
    z.object({
      id: z.number(),
      callFrame: z.object({ functionName: z.string(), url: z.string(), lineNumber: z.number() }),
      children: z.array(z.number()).optional(),
    }),
  ),
  samples: z.array(z.number()),
  /** Microseconds before each sample. */
  timeDeltas: z.array(z.number()),
});

/** A profile: a tree of who called whom, and which of its nodes was at work at each moment that was looked at. */
export type CpuProfile = z.infer<typeof cpuProfileSchema>;

/**
 * Milliseconds that each node was at work itself, not in what it called; by the node's id.
 * @param longestStepMicros what a sample counts for at most: nobody looks while the isolate stands still, and the next sample would
 * get the whole pause.
 */
export function selfMsByNode({ samples, timeDeltas }: CpuProfile, longestStepMicros = Infinity): Map<number, number> {
  const selfMs = new Map<number, number>();
  for (const [position, id] of samples.entries()) {
    const stepMicros = Math.min(timeDeltas[position] ?? 0, longestStepMicros);
    selfMs.set(id, (selfMs.get(id) ?? 0) + stepMicros / 1000);
  }
  return selfMs;
}
