import { aGate } from '@shop/testing';
import { KeyMutex } from './key-mutex';

test('runs calls with the same key one at a time in order of arrival, other keys concurrently', async () => {
  const mutex = new KeyMutex(5000);
  const gate = aGate();
  const done: string[] = [];
  const add = (name: string) => async () => void done.push(name);
  const first = mutex.runExclusive('a', () => gate.passed.then(add('first')));
  const others = [mutex.runExclusive('a', add('second')), mutex.runExclusive('a', add('third'))];
  await mutex.runExclusive('b', add('another key'));
  expect(done).toEqual(['another key']);
  gate.open();
  await Promise.all([first, ...others]);
  expect(done).toEqual(['another key', 'first', 'second', 'third']);
});

test('a failed call releases its key', async () => {
  const mutex = new KeyMutex(5000);
  const failing = mutex.runExclusive('a', () => Promise.reject(new Error('refused')));
  const next = mutex.runExclusive('a', async () => 'next');
  await expect(failing).rejects.toThrow('refused');
  expect(await next).toBe('next');
});

test('a call that waits too long fails, and later calls still wait for the running one', async () => {
  const mutex = new KeyMutex(20);
  const gate = aGate();
  let working = 0;
  const work = async () => {
    working += 1;
    expect(working).toBe(1);
    await gate.passed;
    working -= 1;
  };
  const first = mutex.runExclusive('a', work);
  await expect(mutex.runExclusive('a', work)).rejects.toMatchObject({ code: 'database_busy' });
  await expect(mutex.runExclusive('a', work)).rejects.toMatchObject({ code: 'database_busy' });
  gate.open();
  await first;
  await mutex.runExclusive('a', work);
});
