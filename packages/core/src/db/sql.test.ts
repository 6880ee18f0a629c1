import { rows } from '@shop/testing';
import { foldText } from '../text/fold-text';
import { bindable, containsPattern, inList } from './sql';

const finds = async (text: string, search: string): Promise<boolean> => {
  const [row] = await rows<{ found: number }>('SELECT ? LIKE ? COLLATE utf8mb4_bin AS found', [
    foldText(text),
    containsPattern(foldText(search)),
  ]);
  return Number(row?.found) === 1;
};

describe('containsPattern, on a real server', () => {
  it.each([
    ['100% wool', '0% w'],
    ['snake_case', '_'],
    ['back\\slash', '\\'],
    ['C:\\%TEMP%\\_x', '\\%TEMP%\\_'],
    ['two \\\\ of them', '\\\\'],
    ["it's", "'"],
    ['Żółw', 'ÓŁ'],
    ['a 😀 b', '😀'],
    ['日本語', '本'],
    ['anything', ''],
  ])('%j contains %j', async (text, search) => {
    expect(await finds(text, search)).toBe(true);
  });

  it.each([
    ['100 wool', '%'],
    ['snake case', '_'],
    ['backslash', '\\'],
    ['one \\ of them', '\\\\'],
    ['abc', 'a%c'],
    ['abc', 'a_c'],
    ['a 😂 b', '😀'],
    ['a', 'á'],
  ])('%j does not contain %j', async (text, search) => {
    expect(await finds(text, search)).toBe(false);
  });
});

describe('inList', () => {
  it.each([
    [1, 1],
    [2, 2],
    [3, 4],
    [5, 8],
    [8, 8],
    [9, 16],
    [100, 128],
  ])('holds %d values in %d placeholders', (count, size) => {
    const given = Array.from({ length: count }, (_, index) => index + 1);
    const { placeholders, values } = inList(given);
    expect(placeholders.split(', ')).toEqual(Array(size).fill('?'));
    expect(values).toHaveLength(size);
    expect([...new Set(values)]).toEqual(given);
  });

  it('finds exactly what is listed, on a real server', async () => {
    const { placeholders, values } = inList([3, 5, 9]);
    const found = await rows<{ n: number }>(
      `SELECT n FROM (SELECT 3 AS n UNION SELECT 4 UNION SELECT 5 UNION SELECT 9) AS numbers WHERE n IN (${placeholders}) ORDER BY n`,
      values,
    );
    expect(found.map(({ n }) => Number(n))).toEqual([3, 5, 9]);
  });
});

it('numbers are bound as text, exactly', () => {
  expect([
    bindable(7),
    bindable(9_007_199_254_740_993n),
    bindable(true),
    bindable(false),
    bindable(null),
    bindable('x'),
  ]).toEqual(['7', '9007199254740993', '1', '0', null, 'x']);
});
