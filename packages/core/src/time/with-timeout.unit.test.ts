import { setTimeout as sleep } from 'node:timers/promises';
import { beforeDeadline, withTimeout } from './with-timeout';

const never = new Promise<never>(() => undefined);
const timers = () => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;

it('returns a result that arrives in time, and leaves no timer behind', async () => {
  const before = timers();
  expect(await withTimeout(Promise.resolve(1), 60_000, () => 2)).toBe(1);
  await expect(withTimeout(Promise.reject(new Error('no')), 60_000, () => 2)).rejects.toThrow('no');
  expect(timers()).toBe(before);
});

it('returns the fallback, or throws its error, after the timeout', async () => {
  expect(await withTimeout(never, 1, () => 2)).toBe(2);
  await expect(
    withTimeout(never, 1, () => {
      throw new Error('late');
    }),
  ).rejects.toThrow('late');
});

it('ignores a rejection after the timeout', async () => {
  const failing = sleep(20).then(() => {
    throw new Error('too late to matter');
  });
  expect(await withTimeout(failing, 1, () => 2)).toBe(2);
  await sleep(40);
});

it('rejects at once if the deadline has already passed', async () => {
  await expect(beforeDeadline(Date.now() - 1000, never, () => new Error('late'))).rejects.toThrow('late');
});
