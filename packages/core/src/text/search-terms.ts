import { foldedWords, foldText } from './fold-text';

/** In characters. Longer terms would find fewer rows that do not match, and take more space. */
export const TERM_LENGTH = 10;

/** The first characters. Without spaces at the end: SQL compares `a` and `a ` as equal. */
const termOf = (characters: readonly string[]): string => characters.slice(0, TERM_LENGTH).join('').trimEnd();

/** What a folded text has from each of its characters on. It contains a text if one of these terms begins with it. */
export function partTerms(text: string): string[] {
  const characters = [...foldText(text)];
  const terms = characters.map((_, position) => termOf(characters.slice(position, position + TERM_LENGTH)));
  return [...new Set(terms.filter((term) => term !== '' && !/^\s/.test(term)))];
}

/** The beginnings of its folded words. */
export const wordTerms = (text: string): string[] => [...new Set(foldedWords(text).map((word) => termOf([...word])))];

/** What the terms of a text that matches must begin with. */
export interface TermQuery {
  /** For each of them, one of the text's terms begins with it. At least one, the longest first. */
  terms: string[];
  /** Whether every text with such terms matches. */
  isExact: boolean;
}

/**
 * For a search that finds texts which contain it (by `partTerms`), or which have words that begin with its words (by
 * `wordTerms`). A text that contains the search also contains each of its words.
 */
export function termQuery(search: string): TermQuery {
  const folded = foldText(search).trim();
  const words = foldedWords(search);
  const searched = words.length === 0 ? [folded] : words;
  const terms = [...new Set(searched.map((word) => termOf([...word])))];
  const isExact = searched.length === 1 && terms[0] === folded;
  return { terms: terms.sort((a, b) => b.length - a.length), isExact };
}
