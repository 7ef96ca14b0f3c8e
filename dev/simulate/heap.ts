/** A binary heap: the least item is taken first. `isBefore` must be a strict order. */
export class Heap<T> {
  readonly #items: T[] = [];
  readonly #isBefore: (one: T, other: T) => boolean;

  constructor(isBefore: (one: T, other: T) => boolean) {
    this.#isBefore = isBefore;
  }

  get size(): number {
    return this.#items.length;
  }

  /** The least item, which stays. */
  peek(): T | undefined {
    return this.#items[0];
  }

  push(item: T): void {
    const items = this.#items;
    let position = items.push(item) - 1;
    while (position > 0) {
      const above = (position - 1) >> 1;
      const parent = items[above];
      if (parent === undefined || !this.#isBefore(item, parent)) break;
      items[position] = parent;
      position = above;
    }
    items[position] = item;
  }

  /** Takes the least item out. */
  pop(): T | undefined {
    const items = this.#items;
    const least = items[0];
    const last = items.pop();
    if (last === undefined || items.length === 0) return least;
    let position = 0;
    for (;;) {
      let below = 2 * position + 1;
      const right = items[below + 1];
      let child = items[below];
      if (child === undefined) break;
      if (right !== undefined && this.#isBefore(right, child)) {
        below += 1;
        child = right;
      }
      if (!this.#isBefore(child, last)) break;
      items[position] = child;
      position = below;
    }
    items[position] = last;
    return least;
  }
}
