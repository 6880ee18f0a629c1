import { defineError } from './app-error';

/** What only `GET /ready` responds with. Its readers are operators. */

export const shuttingDown = defineError('unavailable', 'shutting_down', 'This instance is shutting down.', {
  when: '`GET /ready` of a service that has received SIGTERM. It still completes the requests in progress.',
  action: 'Nothing: send new requests to another replica. Load balancers do it by themselves.',
});
export const schemaOutdated = defineError(
  'unavailable',
  'schema_outdated',
  'The database schema is older than this release: run `npm run migrate`.',
  {
    when: '`GET /ready` of a service whose database lacks a migration.',
    action: 'Operators: run `npm run migrate`.',
  },
);
export const restoreUnfinished = defineError(
  'unavailable',
  'restore_unfinished',
  'A restore into the database has not finished: see `npm run restore`.',
  {
    when: '`GET /ready` of a service whose database is being restored from a backup, or whose restore was interrupted.',
    action: 'Operators: wait for the restore, or start it again. An interrupted one says how.',
  },
);
export const databaseLoginRejected = defineError(
  'unavailable',
  'database_login_rejected',
  'The database rejects the login: check DB_USER, DB_PASS and DB_NAME, and DB_TLS if it requires TLS.',
  {
    when: '`GET /ready` of a service that the database does not let in.',
    action: 'Operators: check `DB_USER`, `DB_PASS` and `DB_NAME`, and `DB_TLS` if the database requires TLS.',
  },
);
export const databaseTlsFailed = defineError(
  'unavailable',
  'database_tls_failed',
  'There is no TLS connection to the database.',
  {
    when: '`GET /ready` of a service that cannot open a TLS connection to the database, for example because its certificate has expired.',
    action: 'Operators: `detail` names the problem. Check `DB_TLS` and the certificate of the database.',
  },
);
export const databaseTlsRequired = defineError(
  'unavailable',
  'database_tls_required',
  'The database only accepts TLS connections: set DB_TLS.',
  {
    when: '`GET /ready` of a service without `DB_TLS` whose database requires TLS.',
    action: 'Operators: set `DB_TLS`.',
  },
);
