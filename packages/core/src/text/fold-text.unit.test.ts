import { execFileSync } from 'node:child_process';
import { foldedWords, foldText, wordColumn } from './fold-text';

/**
 * The code points that change in Unicode's CaseFolding.txt (C and F), with what they fold to. The package is an ES
 * module.
 */
function unicodeCaseFolding(): Map<string, string> {
  const script = `
    import { lookupFolding } from 'unicode-case-folding';
    const pairs = Array.from({ length: 0x110000 }, (_, point) => [point, lookupFolding(point)]);
    console.log(JSON.stringify(pairs.filter(([, folded]) => folded)));`;
  const output = execFileSync(process.execPath, ['--input-type=module', '--eval', script], { encoding: 'utf8' });
  const pairs: [number, number[]][] = JSON.parse(output);
  return new Map(pairs.map(([point, folded]) => [String.fromCodePoint(point), String.fromCodePoint(...folded)]));
}

const everyCharacter = function* () {
  for (let point = 0; point < 0x110000; point += 1) {
    const character = String.fromCodePoint(point);
    if (/\p{Assigned}/u.test(character)) yield character;
  }
};

test('folds every character according to CaseFolding.txt, between decomposition and composition', () => {
  const folding = unicodeCaseFolding();
  expect(folding.size).toBeGreaterThan(1500);
  const wrong = [...everyCharacter()].filter((character) => {
    const decomposed = [...character.normalize('NFD')];
    const folded = decomposed.map((part) => folding.get(part) ?? part).join('');
    return foldText(character) !== folded.normalize('NFC');
  });
  expect(wrong).toEqual([]);
});

test('leaves folded text unchanged, and makes text at most three times as long', () => {
  for (const character of everyCharacter()) {
    const folded = foldText(character);
    if (foldText(folded) !== folded || [...folded].length > 3) throw new Error(`${character} became ${folded}`);
  }
});

test.each([
  ['German', ['WEIẞBROT', 'WEISSBROT', 'weißbrot', 'Weissbrot']],
  ['German, decomposed', ['Ärger', 'A\u0308RGER', 'ärger']],
  ['Greek with final sigma', ['ΉΛΙΟΣ', 'ήλιος', 'Ήλιος', 'Η\u0301ΛΙΟΣ', 'ήλιοσ']],
  ['Greek with iota subscript', ['ᾼ', 'ᾳ', 'ΑΙ', 'αι']],
  ['Turkish, dotted capital', ['İZMİR', 'I\u0307ZMI\u0307R', 'i\u0307zmi\u0307r']],
  ['Turkish, dotless small', ['ısı', 'ısı'.normalize('NFD')]],
  ['Georgian, Mtavruli and Mkhedruli', ['ᲗᲑᲘᲚᲘᲡᲘ', 'თბილისი']],
  ['Vietnamese, marks in either order', ['Phở Bộ', 'PHO\u031b\u0309 BO\u0323\u0302', 'pho\u0309\u031b bo\u0302\u0323']],
  ['Arabic, composed and decomposed', ['أحمد', 'ا\u0654حمد']],
  ['Korean, syllables and jamo', ['한국', '한국'.normalize('NFD')]],
  ['Cherokee', ['ᏣᎳᎩ', 'ꮳꮃꭹ']],
  ['ligatures', ['ﬃ', 'FFI', 'ffi']],
  ['the Kelvin and the Ångström sign', ['\u212a\u212b', 'kå', 'KÅ']],
])('%s: all spellings fold to the same text', (_language, spellings) => {
  expect(new Set(spellings.map(foldText)).size).toBe(1);
});

test.each([
  ['accents', ['cafe', 'café', 'cafè']],
  ['umlauts', ['schon', 'schön', 'schoen']],
  ['Turkish i, ı and İ', ['i', 'ı', 'İ']],
  ['stress marks in Greek', ['ηλιος', 'ήλιος']],
  ['Vietnamese tones', ['pho', 'phở', 'phờ', 'phơ']],
  ['Arabic vowel marks', ['محمد', 'مُحَمَّد']],
  ['Chinese characters', ['茶', '茗', '绿茶']],
  ['emoji and their skin tones', ['😀', '😂', '👍', '👍🏽']],
])('%s stay distinct', (_what, texts) => {
  expect(new Set(texts.map(foldText)).size).toBe(texts.length);
});

test('words are runs of letters, marks and digits, without duplicates', () => {
  expect(foldedWords("L'été à WEIẞ_2 (weiss) हिन्दी 🍵 3.5")).toEqual([
    'l',
    'été',
    'à',
    'weiss',
    '2',
    'हिन्दी',
    '3',
    '5',
  ]);
  expect(foldedWords('🍵 % _')).toEqual([]);
  expect([wordColumn('Green TEA, green'), wordColumn('🍵')]).toEqual([' green tea', '']);
});
