import { databaseUnavailable } from '../errors';
import { createMetrics } from '../metrics';
import type { Role } from './access-token';
import { createRevocations, type Revocation, type RevocationStore } from './revocations';

/** The rules, on a store in memory and a clock of its own. tests/revocation.test.ts has the real servers. */

const START = 1_800_000_000_000;
const HOUR_MS = 3_600_000;

beforeEach(() => jest.useFakeTimers({ now: START, doNotFake: ['nextTick', 'setImmediate'] }));
afterEach(() => jest.useRealTimers());

function setUp() {
  let rows: Revocation[] = [];
  let failure: Error | undefined;
  const reads: number[] = [];
  const store: RevocationStore = {
    async read(fromId, limit) {
      if (failure) throw failure;
      reads.push(fromId);
      return rows.filter(({ id }) => id >= fromId).slice(0, limit);
    },
  };
  const metrics = createMetrics('test');
  const revocations = createRevocations(store, { metrics });
  return {
    revocations,
    reads,
    metrics,
    insert(id: number, row: Partial<Revocation> = {}) {
      const now = Date.now();
      const times = { revokedAt: new Date(now), expiresAt: new Date(now + HOUR_MS) };
      rows = [...rows, { id, userId: 7, sessionId: null, role: null, ...times, ...row }].sort((a, b) => a.id - b.id);
    },
    clear() {
      rows = [];
    },
    fail(error: Error | undefined) {
      failure = error;
    },
    /** Another second has passed, and the job has run. */
    async tick(seconds = 1) {
      for (let second = 0; second < seconds; second += 1) {
        jest.advanceTimersByTime(1000);
        await revocations.refresh().catch(() => undefined);
      }
    },
    isRevoked: ({ id = 7, role = 'user' as Role, sessionId = undefined as string | undefined, issuedAt = 0 } = {}) =>
      revocations.isRevoked({ caller: { id, role, sessionId }, issuedAt: Math.floor(START / 1000) + issuedAt }),
  };
}

test('a revoked session ends its tokens, whenever they were issued, and no others', async () => {
  const { insert, isRevoked, tick } = setUp();
  expect(await isRevoked({ sessionId: 'a' })).toBe(false);
  insert(1, { sessionId: 'a' });
  await tick();
  expect(await isRevoked({ sessionId: 'a' })).toBe(true);
  expect(await isRevoked({ sessionId: 'a', issuedAt: 100 })).toBe(true);
  expect(await isRevoked({ sessionId: 'b' })).toBe(false);
  expect(await isRevoked()).toBe(false);
});

test('a revoked user has no tokens without a session that were issued until then', async () => {
  const { insert, isRevoked, tick } = setUp();
  insert(1);
  await tick();
  expect(await isRevoked()).toBe(true);
  expect(await isRevoked({ issuedAt: 1 })).toBe(false);
  expect(await isRevoked({ sessionId: 'a' })).toBe(false);
  expect(await isRevoked({ id: 8 })).toBe(false);
});

test('a changed role ends the tokens with another one; the last change counts', async () => {
  const { insert, isRevoked, tick } = setUp();
  insert(1, { role: 'user' });
  await tick();
  expect(await isRevoked({ role: 'admin', sessionId: 'a' })).toBe(true);
  expect(await isRevoked({ role: 'admin' })).toBe(true);
  expect(await isRevoked({ role: 'user', sessionId: 'a' })).toBe(false);
  // Not if the role was changed again in another way: by SQL.
  expect(await isRevoked({ role: 'admin', issuedAt: 61 })).toBe(false);
  insert(2, { role: 'admin' });
  await tick();
  expect(await isRevoked({ role: 'admin' })).toBe(false);
  expect(await isRevoked({ role: 'user' })).toBe(true);
});

test('a row that is committed after rows with higher ids is not missed', async () => {
  const { insert, isRevoked, tick } = setUp();
  insert(9, { sessionId: 'early' });
  await tick(5);
  insert(10, { sessionId: 'in between' });
  await tick();
  insert(12, { sessionId: 'higher' });
  await tick(58);
  insert(11, { sessionId: 'late' });
  await tick();
  expect(await isRevoked({ sessionId: 'late' })).toBe(true);
});

test('old rows are not read again', async () => {
  const { insert, reads, tick } = setUp();
  for (let id = 1; id <= 200; id += 1) {
    insert(id, { sessionId: String(id) });
    await tick();
  }
  expect(reads.at(-1)).toBe(140);
});

test.each([
  ['lacks the last rows and gives their ids again', (id: number) => id],
  ['starts from 1 again', () => 1],
])('a database that %s is read anew', async (_what, newId) => {
  const { insert, clear, isRevoked, tick } = setUp();
  for (let id = 1; id <= 5; id += 1) insert(id, { sessionId: String(id) });
  await tick(70);
  clear();
  insert(newId(5), { userId: 8, sessionId: 'new' });
  insert(newId(4), { userId: 8, sessionId: 'newer' });
  await tick();
  expect(await isRevoked({ sessionId: 'new' })).toBe(true);
  expect(await isRevoked({ sessionId: 'newer' })).toBe(true);
  expect(await isRevoked({ sessionId: '1' })).toBe(true);
});

test('expired rows are forgotten', async () => {
  const { insert, clear, isRevoked, metrics, tick } = setUp();
  const expiresAt = new Date(START + 60_000);
  insert(1, { sessionId: 'a', expiresAt });
  insert(2, { expiresAt });
  insert(3, { role: 'admin', expiresAt });
  await tick();
  expect(await metrics.registry.metrics()).toContain('revocations_known{service="test"} 3');
  clear();
  await tick(130);
  expect(await metrics.registry.metrics()).toContain('revocations_known{service="test"} 0');
  expect(await isRevoked({ sessionId: 'a' })).toBe(false);
});

describe('while the store cannot be read', () => {
  test('what is known counts for 4 s, then every token is refused with its error', async () => {
    const { fail, isRevoked, tick } = setUp();
    await tick();
    fail(databaseUnavailable());
    await tick(4);
    expect(await isRevoked()).toBe(false);
    await tick();
    await expect(isRevoked()).rejects.toMatchObject({ code: 'database_unavailable' });
    fail(undefined);
    expect(await isRevoked()).toBe(false);
  });

  test('a request waits for the first read, and concurrent ones for the same', async () => {
    const { isRevoked, reads } = setUp();
    await Promise.all([isRevoked(), isRevoked(), isRevoked()]);
    expect(reads).toEqual([0]);
  });

  test('the age shows it', async () => {
    const { fail, metrics, tick } = setUp();
    await tick();
    fail(databaseUnavailable());
    await tick(9);
    expect(await metrics.registry.metrics()).toContain('revocations_age_seconds{service="test"} 9');
  });
});
