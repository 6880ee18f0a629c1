import { notFound } from './common-errors';

test('an expected error has no stack trace, and errors after it have one', () => {
  expect(notFound().stack).not.toContain('\n    at ');
  expect(new Error('a bug').stack).toContain('\n    at ');
});
