import { FairQueue } from './fair-queue';

const overloaded = expect.objectContaining({ code: 'overloaded' });

/** Work that runs until it is released, and records when it starts. */
function aJob(name: string, started: string[]) {
  let finish: () => void = () => undefined;
  const finished = new Promise<void>((resolve) => {
    finish = resolve;
  });
  const work = async () => {
    started.push(name);
    await finished;
    return name;
  };
  return { work, finish };
}

const settle = () => new Promise((resolve) => setImmediate(resolve));

test('serves groups round-robin, and first in, first out within a group', async () => {
  const queue = new FairQueue({ concurrency: 1, waiting: 10 });
  const started: string[] = [];
  const names = ['a1', 'a2', 'a3', 'a4', 'b1', 'b2', 'c1'];
  const jobs = names.map((name) => ({ name, ...aJob(name, started) }));
  const results = jobs.map(({ name, work }) => queue.run(work, name[0]));
  for (const { finish } of jobs) finish();
  expect(await Promise.all(results)).toEqual(names);
  expect(started).toEqual(['a1', 'a2', 'b1', 'c1', 'a3', 'b2', 'a4']);
});

test('limits running and queued calls over all groups', async () => {
  const queue = new FairQueue({ concurrency: 2, waiting: 2 });
  const started: string[] = [];
  const jobs = ['a', 'b', 'c', 'd', 'e', 'f'].map((name) => ({ name, ...aJob(name, started) }));
  const results = jobs.slice(0, 4).map(({ name, work }) => queue.run(work, name));
  const [fifth, sixth] = jobs.slice(4);
  await expect(queue.run(fifth?.work ?? settle, 'e')).rejects.toEqual(overloaded);
  expect(started).toEqual(['a', 'b']);

  jobs[0]?.finish();
  await results[0];
  await settle();
  expect(started).toEqual(['a', 'b', 'c']);
  const last = queue.run(sixth?.work ?? settle, 'f');
  for (const { finish } of jobs) finish();
  await Promise.all([...results, last]);
  expect(started).toEqual(['a', 'b', 'c', 'd', 'f']);
});

test('a full queue rejects the newest call of the longest group, not that of another group', async () => {
  const queue = new FairQueue({ concurrency: 1, waiting: 3 });
  const started: string[] = [];
  const jobs = ['a1', 'a2', 'a3', 'a4', 'b1', 'c1', 'd1', 'e1'].map((name) => ({ name, ...aJob(name, started) }));
  const outcomes = jobs.map(async ({ name, work }) => {
    return await queue.run(work, name[0]).catch((error: { code: string }) => error.code);
  });
  for (const { finish } of jobs) finish();
  // a1 runs at once, a2 to a4 fill the queue. b1 and c1 take the places of a4 and a3. After that all groups are equally long.
  expect(await Promise.all(outcomes)).toEqual([
    'a1',
    'a2',
    'overloaded',
    'overloaded',
    'b1',
    'c1',
    'overloaded',
    'overloaded',
  ]);
});

test('a failed call frees its slot', async () => {
  const queue = new FairQueue({ concurrency: 1, waiting: 1 });
  const failing = queue.run(() => Promise.reject(new Error('no')));
  const next = queue.run(async () => 'next');
  await expect(failing).rejects.toThrow('no');
  expect(await next).toBe('next');
  expect(await queue.run(async () => 'later')).toBe('later');
});
