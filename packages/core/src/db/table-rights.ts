/**
 * `UPDATE (column)` is enough for SELECT ... FOR UPDATE. REFERENCES gives no access, but without any right on the other table of a
 * foreign key, MySQL's error does not name the key.
 */
export type TableRight = 'SELECT' | 'INSERT' | 'UPDATE' | 'DELETE' | 'REFERENCES' | `UPDATE (${string})`;

/** The rights of a database user, by table. */
export type TableRights = Readonly<Record<string, readonly TableRight[]>>;
