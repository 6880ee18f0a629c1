import { settings } from './service';

test('PENDING_ORDER_TTL_MINUTES is a whole number from 0 (never) to a year', () => {
  const isTaken = (value: string) => settings.safeParse({ PENDING_ORDER_TTL_MINUTES: value }).success;
  expect(['0', '525600'].map(isTaken)).toEqual([true, true]);
  expect(['-1', '525601', '1.5', ''].map(isTaken)).toEqual([false, false, false, false]);
});
