import { setTimeout as sleep } from 'node:timers/promises';
import { beforeDeadline, withTimeout } from './with-timeout';

const never = new Promise<never>(() => undefined);
const timers = () => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;

it('gives what comes in time, and leaves no timer behind', async () => {
  const before = timers();
  expect(await withTimeout(Promise.resolve(1), 60_000, () => 2)).toBe(1);
  await expect(withTimeout(Promise.reject(new Error('no')), 60_000, () => 2)).rejects.toThrow('no');
  expect(timers()).toBe(before);
});

it('gives what is to be had instead of what comes too late', async () => {
  expect(await withTimeout(never, 1, () => 2)).toBe(2);
  await expect(
    withTimeout(never, 1, () => {
      throw new Error('late');
    }),
  ).rejects.toThrow('late');
});

it('takes no notice of an error that comes too late', async () => {
  const failing = sleep(20).then(() => {
    throw new Error('too late to matter');
  });
  expect(await withTimeout(failing, 1, () => 2)).toBe(2);
  await sleep(40);
});

it('a deadline that has passed is late at once', async () => {
  await expect(beforeDeadline(Date.now() - 1000, never, () => new Error('late'))).rejects.toThrow('late');
});
