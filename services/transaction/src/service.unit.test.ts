import { settings } from './service';

test('PENDING_ORDER_TTL_MINUTES is a whole number from 0 (never) to a year', () => {
  const isTaken = (value: string) => settings.safeParse({ PENDING_ORDER_TTL_MINUTES: value }).success;
  expect(['0', '525600'].map(isTaken)).toEqual([true, true]);
  expect(['-1', '525601', '1.5', ''].map(isTaken)).toEqual([false, false, false, false]);
});

test('REQUIRE_VERIFIED_EMAIL is true or false, which is the default', () => {
  const parse = (values: object) => settings.safeParse(values).data?.REQUIRE_VERIFIED_EMAIL;
  expect([parse({}), parse({ REQUIRE_VERIFIED_EMAIL: 'true' }), parse({ REQUIRE_VERIFIED_EMAIL: 'false' })]).toEqual([
    false,
    true,
    false,
  ]);
  expect(settings.safeParse({ REQUIRE_VERIFIED_EMAIL: 'yes' }).success).toBe(false);
});
