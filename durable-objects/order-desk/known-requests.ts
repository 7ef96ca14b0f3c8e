interface Asked {
  readonly requestId: string;
  readonly tell: (isKnown: boolean) => void;
  readonly reject: (reason: unknown) => void;
}

/**
 * Tells whether requests were answered before. Those that arrive while earlier writes are on their way to disk are looked up
 * together, as their writes will be stored together: a statement for each was a twelfth of what a hold costs.
 */
export class KnownRequests {
  #asked: Asked[] = [];
  readonly #storage: Pick<DurableObjectStorage, "sync">;
  readonly #findKnown: (requestIds: readonly string[]) => ReadonlySet<string>;

  constructor(storage: Pick<DurableObjectStorage, "sync">, findKnown: (requestIds: readonly string[]) => ReadonlySet<string>) {
    this.#storage = storage;
    this.#findKnown = findKnown;
  }

  /**
   * Goes on with `proceed`, in the same turn as the lookup: nothing is stored in between, so what it is told is still so.
   * Rejects when the lookup or `proceed` throws.
   */
  ask<T>(requestId: string, proceed: (isKnown: boolean) => Promise<T>): Promise<T> {
    // In an async function what `proceed` throws fails its own request alone.
    const goOn = async (isKnown: boolean): Promise<T> => proceed(isKnown);
    return new Promise((resolve, reject) => {
      this.#asked.push({ requestId, tell: (isKnown) => resolve(goOn(isKnown)), reject });
      if (this.#asked.length > 1) return;
      const lookUp = (): void => this.#lookUp();
      // Should the earlier writes fail, the runtime resets the object; until then there is nothing better than to go on.
      void this.#storage.sync().then(lookUp, lookUp);
    });
  }

  #lookUp(): void {
    const asked = this.#asked;
    this.#asked = [];
    let known: ReadonlySet<string>;
    try {
      known = this.#findKnown(asked.map(({ requestId }) => requestId));
    } catch (error) {
      for (const { reject } of asked) reject(error);
      return;
    }
    for (const { requestId, tell } of asked) tell(known.has(requestId));
  }
}
