import { backupsToKeep, type Keep } from './prune';

const none: Keep = { last: 0, daily: 0, weekly: 0 };
const kept = (ids: string[], keep: Partial<Keep>) => [...backupsToKeep(ids, { ...none, ...keep })].sort();
const at = (day: string, hour = 12) => `2026-${day}T${String(hour).padStart(2, '0')}-00-00Z`;

/** One backup an hour, for so many days, up to a Friday. */
function hourly(days: number): string[] {
  const end = Date.UTC(2026, 10, 27, 23);
  return Array.from({ length: days * 24 }, (_, hours) =>
    new Date(end - hours * 3_600_000).toISOString().replace('.000', '').replaceAll(':', '-'),
  ).reverse();
}

test('keeps the newest ones', () => {
  expect(kept(hourly(2), { last: 2 })).toEqual([at('11-27', 22), at('11-27', 23)]);
  expect(kept([at('11-27')], { last: 5 })).toEqual([at('11-27')]);
});

test('keeps the newest one of each of the last days', () => {
  expect(kept(hourly(5), { daily: 3 })).toEqual([at('11-25', 23), at('11-26', 23), at('11-27', 23)]);
});

test('a day without a backup does not count', () => {
  expect(kept([at('11-01'), at('11-02'), at('11-27')], { daily: 2 })).toEqual([at('11-02'), at('11-27')]);
});

test('keeps the newest one of each of the last weeks, which end on Sundays', () => {
  expect(kept(hourly(30), { weekly: 3 })).toEqual([at('11-15', 23), at('11-22', 23), at('11-27', 23)]);
  expect(kept([at('11-22', 23), at('11-23', 0)], { weekly: 2 })).toEqual([at('11-22', 23), at('11-23', 0)]);
});

test('a week that spans two years is one week', () => {
  const ids = ['2026-12-31T12-00-00Z', '2027-01-01T12-00-00Z'];
  expect(kept(ids, { weekly: 2 })).toEqual([ids[1]]);
});

test('the rules add up, and what one keeps is not kept twice', () => {
  const ids = kept(hourly(100), { last: 24, daily: 14, weekly: 8 });
  expect(ids).toHaveLength(24 + 13 + 5);
  expect(kept(ids, { last: 24, daily: 14, weekly: 8 })).toEqual(ids);
});

test('hour after hour, each day of the last 14 and each week of the last 8 stays covered', () => {
  let ids: string[] = [];
  for (const id of hourly(100)) ids = kept([...ids, id], { last: 24, daily: 14, weekly: 8 });
  const days = new Set(ids.map((id) => id.slice(0, 10)));
  for (let back = 0; back < 14; back += 1)
    expect(days).toContain(new Date(Date.UTC(2026, 10, 27 - back)).toISOString().slice(0, 10));
  expect(ids[0]).toBe(at('10-11', 23));
});
