import { rows } from '@shop/testing';
import { foldText } from '../text';
import { containsPattern } from './sql';

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
