/** The values of one row, in the order of its columns. */
export type Row = readonly (string | number | null)[];

/** Values that one statement may bind (Cloudflare's limit for Durable Objects). */
const MOST_BINDINGS = 100;

/**
 * Inserts rows in their order, with as few statements as the platform lets their values be bound in; none for no rows. The values
 * are bound as they are: in one JSON text for all rows, a body that is JSON itself would be quoted, parsed and unquoted again,
 * which costs as much as writing it.
 * @param into the statement up to `VALUES`; every row has a value for each of its columns.
 * @param onConflict what follows the rows; left out, a row that is there already is refused.
 */
export function insertRows(sql: SqlStorage, into: string, rows: readonly Row[], onConflict = ""): void {
  const columns = rows[0]?.length ?? 1;
  const places = `(${Array.from({ length: columns }, () => "?").join(", ")})`;
  const rowsAtOnce = Math.floor(MOST_BINDINGS / columns);
  for (let start = 0; start < rows.length; start += rowsAtOnce) {
    const chunk = rows.slice(start, start + rowsAtOnce);
    sql.exec(`${into} VALUES ${chunk.map(() => places).join(", ")} ${onConflict}`, ...chunk.flat());
  }
}
