/** A row for `json_each`, one value a column. */
export type Row = readonly (string | number | null)[];

/** Characters of JSON in one bound value. D1 takes 2 MB; a longer one would be refused whenever it is tried again. */
const LONGEST_JSON = 500_000;

/** The items as JSON arrays of at most about {@link LONGEST_JSON} characters, in order; none for no items. */
export function toJsonChunks(items: readonly Row[]): string[] {
  const chunks: string[] = [];
  let parts: string[] = [];
  let length = 0;
  for (const item of items) {
    const json = JSON.stringify(item);
    if (parts.length > 0 && length + json.length > LONGEST_JSON) {
      chunks.push(`[${parts.join(",")}]`);
      parts = [];
      length = 0;
    }
    parts.push(json);
    length += json.length + 1;
  }
  if (parts.length > 0) chunks.push(`[${parts.join(",")}]`);
  return chunks;
}
