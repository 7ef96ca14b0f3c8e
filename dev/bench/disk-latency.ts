import { closeSync, fdatasyncSync, openSync, writeSync } from "node:fs";
import { join } from "node:path";
import { median, quantile } from "./report.ts";

const WRITES = 300;
const PAGE = new Uint8Array(4096);
const PAGES_OF_FILE = 256;

/** How long the disk takes to keep a page: what every commit waits for. */
export interface DiskLatency {
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** Writes pages of 4 KiB one by one into a file of 1 MiB in `directory`, each made safe (fdatasync) before the next. */
export function measureDisk(directory: string): DiskLatency {
  const file = openSync(join(directory, "disk-latency"), "w");
  const tookMs: number[] = [];
  try {
    for (let write = 0; write < WRITES; write += 1) {
      const startedAtMs = performance.now();
      writeSync(file, PAGE, 0, PAGE.length, (write % PAGES_OF_FILE) * PAGE.length);
      fdatasyncSync(file);
      tookMs.push(performance.now() - startedAtMs);
    }
  } finally {
    closeSync(file);
  }
  const sorted = tookMs.toSorted((one, other) => one - other);
  return { p50Ms: median(sorted), p99Ms: quantile(sorted, 0.99) };
}
