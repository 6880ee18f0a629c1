import { hashOfForm, hashOfJson } from './attempt';

test('bodies are compared as JSON: key order does not matter, array order and values do', () => {
  const base = hashOfJson({ a: 1, b: [{ c: 1, d: 2 }, 3] });
  expect(hashOfJson({ b: [{ d: 2, c: 1 }, 3], a: 1 })).toBe(base);
  expect(hashOfJson({ b: [3, { d: 2, c: 1 }], a: 1 })).not.toBe(base);
  expect(hashOfJson({ b: [{ d: 2, c: 1 }, 3], a: 2 })).not.toBe(base);
  expect(hashOfJson({ b: [{ d: 2, c: 1 }, 3], a: '1' })).not.toBe(base);
});

// The release before has stored it. A retry during an update must find its order.
test('the hash of an order stays the same across releases', () => {
  expect(hashOfJson({ items: [{ quantity: 2, product_id: 1 }], address_id: 7 })).toBe(
    '8c8caaca3bf67be6e9d073dcf796b61b93f30c972b3dc9ef734227959ea92b28',
  );
});

test('forms are compared by their fields and the hash of their file, and never equal JSON', () => {
  const base = hashOfForm({ name: 'Mug', price: '1' }, 'hash');
  expect(hashOfForm({ price: '1', name: 'Mug' }, 'hash')).toBe(base);
  expect(hashOfForm({ name: 'Mug', price: '2' }, 'hash')).not.toBe(base);
  expect(hashOfForm({ name: 'Mug', price: '1' }, 'other')).not.toBe(base);
  expect(hashOfForm({ name: 'Mug', price: '1' }, undefined)).not.toBe(base);
  expect(hashOfForm({ name: 'Mug' }, undefined)).not.toBe(hashOfJson({ name: 'Mug' }));
});
