/** Counts code points, like MySQL does for a VARCHAR. */
export const characterCount = (text: string): number => [...text].length;

/**
 * Unicode properties cover all invisible characters except three: the blank Braille pattern, the null notehead and the Khitan
 * filler. U+3164 HANGUL FILLER, variation selectors and tags are default-ignorable.
 */
const VISIBLE = /[^\p{Default_Ignorable_Code_Point}\p{White_Space}\p{Cc}\p{Cf}\p{Z}\u2800\u{1d159}\u{16fe4}]/u;

export const hasVisibleCharacter = (text: string): boolean => VISIBLE.test(text);
