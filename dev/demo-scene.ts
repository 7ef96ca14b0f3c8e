import type { Role } from "#domain/principal";
import type { createHttpClient } from "./http-client.ts";

/** Where the demo's servers are and how it signs in. */
export interface DemoStage {
  readonly serviceUrl: string;
  readonly providerUrl: string;
  readonly rpcUrl: string;
  readonly tree: string;
  signIn(role: Role, userId?: string): Promise<string>;
}

/** How the demo tells what it does. */
export interface Narrator {
  /** A heading. */
  step(title: string): void;
  /** A fact with its ids. */
  tell(fact: string): void;
  /** A claim that was just checked. @throws when `holds` is false. */
  claim(text: string, holds: boolean, found?: unknown): void;
}

/** Who buys, with their token. */
export interface Buyer {
  readonly userId: string;
  readonly token: string;
}

/** Calls the service. */
export type Client = ReturnType<typeof createHttpClient>;

/** Where a part of the journey plays. */
export interface Scene {
  readonly stage: DemoStage;
  readonly call: Client;
  readonly narrator: Narrator;
  readonly eventId: string;
}
