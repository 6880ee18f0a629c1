/**
 * Unicode's canonical caseless matching (section 3.13, D145), followed by composition: two texts match if and only if their
 * folded forms are equal. Keeps accents. The result has at most three times as many code points as `text`. See
 * docs/decisions/0018-text-search.md.
 */
export function foldText(text: string): string {
  return text
    .normalize('NFD')
    .replace(/\p{Changes_When_Casefolded}/gu, foldCharacter)
    .normalize('NFC');
}

/** JavaScript has no case folding. Upper case and then lower case gives the same result, except for Cherokee. */
function foldCharacter(character: string): string {
  const folded = character.toLowerCase().toUpperCase().toLowerCase();
  // Cherokee's small letters fold to its capitals.
  return folded === character ? character.toUpperCase() : folded;
}

/** The distinct folded words of a text. A word is a run of letters, marks and digits. */
export const foldedWords = (text: string): string[] => [...new Set(foldText(text).match(/[\p{L}\p{M}\p{N}]+/gu))];

/** The words as stored in a column, each after a space, so that `LIKE '% mu%'` finds words that begin with "mu". */
export const wordColumn = (text: string): string =>
  foldedWords(text)
    .map((word) => ` ${word}`)
    .join('');
