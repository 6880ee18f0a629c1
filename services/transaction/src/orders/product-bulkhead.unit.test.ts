import { aGate } from '@shop/testing';
import { ProductBulkhead } from './product-bulkhead';

const soon = () => Date.now() + 30_000;

test('limits concurrent work per product; the rest runs in order of arrival, and other products do not wait', async () => {
  const bulkhead = new ProductBulkhead(2);
  const gate = aGate();
  const started: string[] = [];
  const work = (name: string) => async () => {
    started.push(name);
    await gate.passed;
  };
  const hot = ['a', 'b', 'c', 'd'].map((name) => bulkhead.run([1], soon(), work(name)));
  await bulkhead.run([2], soon(), async () => void started.push('other'));
  expect(started).toEqual(['a', 'b', 'other']);
  gate.open();
  await Promise.all(hot);
  expect(started).toEqual(['a', 'b', 'other', 'c', 'd']);
});

test('a basket that waits for one product holds no slot of another, and runs eventually', async () => {
  const bulkhead = new ProductBulkhead(1);
  const gate = aGate();
  const started: string[] = [];
  const hot = bulkhead.run([1], soon(), () => gate.passed);
  const basket = bulkhead.run([1, 2], soon(), async () => void started.push('basket'));
  await bulkhead.run([2], soon(), async () => void started.push('single'));
  expect(started).toEqual(['single']);
  gate.open();
  await Promise.all([hot, basket]);
  expect(started).toEqual(['single', 'basket']);
});

test('fails at the deadline, and failed work frees its slot', async () => {
  const bulkhead = new ProductBulkhead(1);
  const gate = aGate();
  const failing = bulkhead.run([1], soon(), () => gate.passed.then(() => Promise.reject(new Error('no'))));
  await expect(bulkhead.run([1], Date.now() + 20, async () => 'late')).rejects.toMatchObject({ code: 'database_busy' });
  const next = bulkhead.run([1], soon(), async () => 'next');
  gate.open();
  await expect(failing).rejects.toThrow('no');
  expect(await next).toBe('next');
});

test('refuses at once what comes while 500 wait for the product, and nothing else', async () => {
  const bulkhead = new ProductBulkhead(1);
  const gate = aGate();
  const run = (ids: number[]) => bulkhead.run(ids, soon(), () => gate.passed);
  const admitted = Array.from({ length: 501 }, () => run([1]));
  await expect(run([1])).rejects.toMatchObject({ code: 'overloaded' });
  await expect(run([2, 1])).rejects.toMatchObject({ code: 'overloaded' });
  admitted.push(run([2]));
  gate.open();
  await Promise.all(admitted);
  await run([1, 2]);
});
