/** The table in which `npm run migrate` records what it has applied. */
export const MIGRATIONS_TABLE = 'schema_migrations';

/** A restore creates this table first and drops it last. Meanwhile, the database may lack some of its rows. */
export const UNFINISHED_RESTORE_TABLE = 'unfinished_restore';
