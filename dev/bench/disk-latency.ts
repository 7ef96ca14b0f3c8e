import { closeSync, fdatasyncSync, openSync, writeSync } from "node:fs";
import { open } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
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

/** How long one page took, and when it was written (Unix milliseconds). */
export interface TimedPage {
  readonly atMs: number;
  readonly tookMs: number;
}

const BETWEEN_PAGES_MS = 50;

/** Writes a page now and then until `untilMs`: what the disk alone makes everybody wait. */
export async function watchDisk(directory: string, untilMs: number): Promise<readonly TimedPage[]> {
  const file = await open(join(directory, "disk-watch"), "w");
  const pages: TimedPage[] = [];
  try {
    while (Date.now() < untilMs) {
      const atMs = Date.now();
      await file.write(PAGE, 0, PAGE.length, 0);
      await file.datasync();
      pages.push({ atMs, tookMs: Date.now() - atMs });
      await wait(BETWEEN_PAGES_MS);
    }
  } finally {
    await file.close();
  }
  return pages;
}
