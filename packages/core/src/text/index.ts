export { characterCount, hasVisibleCharacter } from './characters';
export { foldedWords, foldText, wordColumn } from './fold-text';
