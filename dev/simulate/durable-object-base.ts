/** What `cloudflare:workers` is in the simulation: the base class of Durable Objects, which only keeps what it is given. */
export class DurableObject<Env> {
  protected readonly ctx: unknown;
  protected readonly env: Env;

  constructor(ctx: unknown, env: Env) {
    this.ctx = ctx;
    this.env = env;
  }
}
