import { plainTextWarnings } from './plain-text';

const warningsFor = (host: string, tls?: { ca: undefined }) =>
  plainTextWarnings({ db: { host, tls }, redis: { server: { host, port: 6379 }, tls } });

test.each([
  'db',
  'localhost',
  'db.shop.svc.cluster.local',
  'db.shop.svc',
  'db.internal',
  '10.1.2.3',
  '172.20.0.5',
  '::1',
  'fd00::1',
])('plain text to %s is normal', (host) => expect(warningsFor(host)).toEqual([]));

test.each(['shop.abc.eu-west-1.rds.amazonaws.com', 'db.example.com', '203.0.113.9', '172.32.0.1', '2001:db8::1'])(
  'plain text to %s is worth a warning, with TLS it is not',
  (host) => {
    expect(warningsFor(host)).toEqual([
      `the connection to the database at ${host} is not encrypted: set DB_TLS`,
      `the connection to Redis at ${host} is not encrypted: set REDIS_TLS`,
    ]);
    expect(warningsFor(host, { ca: undefined })).toEqual([]);
  },
);
