import { aGate } from '@shop/testing';
import { takingTurns } from './turns';

test('the same key one after the other in the order in which they came, another key at once', async () => {
  const inTurn = takingTurns(5000);
  const gate = aGate();
  const done: string[] = [];
  const add = (name: string) => async () => void done.push(name);
  const first = inTurn('a', () => gate.passed.then(add('first')));
  const others = [inTurn('a', add('second')), inTurn('a', add('third'))];
  await inTurn('b', add('another key'));
  expect(done).toEqual(['another key']);
  gate.open();
  await Promise.all([first, ...others]);
  expect(done).toEqual(['another key', 'first', 'second', 'third']);
});

test('who fails hands over', async () => {
  const inTurn = takingTurns(5000);
  const failing = inTurn('a', () => Promise.reject(new Error('refused')));
  const next = inTurn('a', async () => 'next');
  await expect(failing).rejects.toThrow('refused');
  expect(await next).toBe('next');
});

test('who waits too long gives up with 503, and lets nobody pass whoever is still at it', async () => {
  const inTurn = takingTurns(20);
  const gate = aGate();
  let working = 0;
  const work = async () => {
    working += 1;
    expect(working).toBe(1);
    await gate.passed;
    working -= 1;
  };
  const first = inTurn('a', work);
  await expect(inTurn('a', work)).rejects.toMatchObject({ code: 'database_busy' });
  await expect(inTurn('a', work)).rejects.toMatchObject({ code: 'database_busy' });
  gate.open();
  await first;
  await inTurn('a', work);
});
