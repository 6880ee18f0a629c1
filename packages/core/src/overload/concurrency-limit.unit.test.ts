import { ConcurrencyLimit } from './concurrency-limit';

const TICK_MS = 50;

/** Lets `arriving` requests arrive and completes at most `served` of them, each tick. */
function traffic() {
  const limit = new ConcurrencyLimit();
  let now = 0;
  let inProgress = 0;
  return {
    limit,
    inProgress: () => inProgress,
    /** @returns how many were refused */
    run({ ticks, arriving, served, waitMs }: { ticks: number; arriving: number; served: number; waitMs: number }) {
      let refused = 0;
      for (let tick = 0; tick < ticks; tick += 1) {
        for (let one = 0; one < arriving; one += 1) {
          if (limit.tryEnter()) inProgress += 1;
          else refused += 1;
        }
        for (let one = 0; one < served && inProgress > 0; one += 1) {
          limit.leave(true);
          inProgress -= 1;
        }
        now += TICK_MS;
        limit.observe(waitMs, now);
      }
      return refused;
    },
  };
}

const SECOND = 1000 / TICK_MS;

test('refuses what arrives beyond the measured rate, at first with as many in progress as are completed in 0.4 s', () => {
  const { run, inProgress } = traffic();
  run({ ticks: SECOND, arriving: 40, served: 40, waitMs: 5 });
  run({ ticks: 5, arriving: 1000, served: 40, waitMs: 100 });
  expect(run({ ticks: 1, arriving: 1000, served: inProgress(), waitMs: 100 })).toBe(1000);
  run({ ticks: 1, arriving: 1000, served: 0, waitMs: 100 });
  expect(inProgress()).toBeGreaterThan(300);
});

test('does not admit fewer while those from before the limit are in progress', () => {
  const { run, inProgress } = traffic();
  run({ ticks: SECOND, arriving: 40, served: 40, waitMs: 5 });
  run({ ticks: 5, arriving: 1000, served: 40, waitMs: 100 });
  run({ ticks: SECOND, arriving: 0, served: 40, waitMs: 100 });
  run({ ticks: 1, arriving: 0, served: inProgress(), waitMs: 100 });
  run({ ticks: 1, arriving: 1000, served: 0, waitMs: 100 });
  expect(inProgress()).toBeGreaterThan(300);
});

test('while requests still wait, admits fewer; once they do not, admits more', () => {
  const { run, inProgress } = traffic();
  const load = { arriving: 1000, served: 10 };
  run({ ticks: 40 * SECOND, ...load, waitMs: 100 });
  expect(inProgress()).toBe(20 - 10);
  run({ ticks: SECOND, ...load, waitMs: 5 });
  expect(inProgress()).toBeGreaterThan(20);
});

test('does not count failures as served', () => {
  const limit = new ConcurrencyLimit();
  for (let tick = 0; tick < SECOND; tick += 1) {
    for (let one = 0; one < 100; one += 1) if (limit.tryEnter() && one < 90) limit.leave(false);
    limit.observe(100, tick * TICK_MS);
  }
  expect(limit.isLimited()).toBe(true);
});

test.each([
  ['requests do not wait, such as slow uploads', { ticks: 10 * SECOND, arriving: 40, served: 10, waitMs: 5 }],
  ['few are in progress, such as on a busy machine', { ticks: 10 * SECOND, arriving: 50, served: 50, waitMs: 500 }],
  ['a burst is over soon', { ticks: 4, arriving: 300, served: 10, waitMs: 500 }],
  ['as many are completed as arrive', { ticks: 10 * SECOND, arriving: 100, served: 100, waitMs: 100 }],
])('refuses none while %s', (_title, load) => {
  expect(traffic().run(load)).toBe(0);
});

test('refuses none of a few requests, however slow they are', () => {
  const { run, inProgress } = traffic();
  expect(run({ ticks: 10 * SECOND, arriving: 100, served: 0, waitMs: 3000 })).toBeGreaterThan(0);
  expect(run({ ticks: 1, arriving: 0, served: inProgress() - 10, waitMs: 3000 })).toBe(0);
  expect(run({ ticks: 1, arriving: 10, served: 0, waitMs: 3000 })).toBe(0);
  expect(run({ ticks: 1, arriving: 1, served: 0, waitMs: 3000 })).toBe(1);
});

test('lifts the limit soon after the overload', () => {
  const { limit, run } = traffic();
  run({ ticks: 3 * SECOND, arriving: 200, served: 40, waitMs: 100 });
  expect(limit.isLimited()).toBe(true);
  expect(run({ ticks: 3 * SECOND, arriving: 20, served: 40, waitMs: 5 })).toBe(0);
  expect([limit.isLimited(), limit.needsObservation()]).toEqual([false, false]);
});
