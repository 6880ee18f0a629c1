export { characterCount, hasVisibleCharacter } from './characters';
export { foldedWords, foldText, wordColumn } from './fold-text';
export { partTerms, TERM_LENGTH, type TermQuery, termQuery, wordTerms } from './search-terms';
