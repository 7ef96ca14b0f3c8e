/**
 * Brings an object's own SQLite up to date: runs each script it has not run yet, in order, all in one transaction.
 * Scripts are only ever appended; their position is their version.
 */
export function migrate(storage: DurableObjectStorage, scripts: readonly string[]): void {
  storage.transactionSync(() => {
    storage.sql.exec("CREATE TABLE IF NOT EXISTS schema_version (version INTEGER NOT NULL)");
    const applied = storage.sql.exec<{ version: number }>("SELECT version FROM schema_version").toArray()[0]?.version ?? 0;
    const pending = scripts.slice(applied);
    if (pending.length === 0) return;
    for (const script of pending) storage.sql.exec(script);
    storage.sql.exec("DELETE FROM schema_version");
    storage.sql.exec("INSERT INTO schema_version (version) VALUES (?)", scripts.length);
  });
}
