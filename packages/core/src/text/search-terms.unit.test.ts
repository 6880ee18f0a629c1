import { partTerms, termQuery, wordTerms } from './search-terms';

test('the terms of parts begin at each character that is no space', () => {
  expect(partTerms('A MUG a')).toEqual(['a mug a', 'mug a', 'ug a', 'g a', 'a']);
  expect(partTerms('0123456789ab').slice(0, 3)).toEqual(['0123456789', '123456789a', '23456789ab']);
  expect(partTerms('🍵 绿茶')).toEqual(['🍵 绿茶', '绿茶', '茶']);
});

test('no two terms differ in spaces at the end only, which SQL takes for equal', () => {
  expect(partTerms('a 23456789 a')).toEqual([
    'a 23456789',
    '23456789 a',
    ...[...'3456789'].map((_, i) => `${'3456789'.slice(i)} a`),
    'a',
  ]);
  expect(partTerms('abcdefghi jabcdefghi')).toContain('abcdefghi');
});

test('the terms of words are their beginnings', () => {
  expect(wordTerms('Glazed stoneware-1, stonewarelike GLAZED 🍵')).toEqual(['glazed', 'stoneware', '1', 'stonewarel']);
});

test.each([
  ['MUG', ['mug'], true],
  ['绿茶', ['绿茶'], true],
  ['🍵', ['🍵'], true],
  ['% _', ['% _'], true],
  ['(mug)', ['mug'], false],
  ['a blue mug', ['blue', 'mug', 'a'], false],
  ['mug mug', ['mug'], false],
  ['stonewarelike', ['stonewarel'], false],
  ['%%%%%%%%% %%', ['%%%%%%%%%'], false],
])('a search for %j needs the terms %j; exact: %j', (search, terms, isExact) => {
  expect(termQuery(search)).toEqual({ terms, isExact });
});
