import { type Endpoint, listEndpoint } from '@shop/core/http';
import type { AuthContext } from '../service';
import { usersTag } from '../tags';
import { auditEntry, auditQuery } from './audit.schemas';
import { listEvents } from './audit.sql';

export const auditEndpoints = (ctx: AuthContext): Endpoint[] => [
  listEndpoint({
    path: '/api/v1/auth/audit',
    operationId: 'listAuditEvents',
    tag: usersTag,
    summary: 'List what happened to accounts: logins, changes, revoked sessions',
    description:
      '`login_failures` says that an account had 10 wrong passwords within 15 minutes. It is recorded once per 15 minutes. ' +
      'Events are deleted after a year, unless the shop has set another time.',
    access: 'admin',
    query: auditQuery,
    item: auditEntry,
    list: async ({ query }) => await listEvents(ctx.db, query),
  }),
];
