// changelog-section.mjs VERSION
//
// Prints the section of CHANGELOG.md for that version, without its heading: the release notes. Fails if there is none.
import { readFileSync } from 'node:fs';

const [version = ''] = process.argv.slice(2);
const sections = readFileSync(new URL('../CHANGELOG.md', import.meta.url), 'utf8').split(/^## /m);
const section = sections.find((text) => text.startsWith(`[${version}]`));
const notes = section?.replace(/^.*\n/, '').trim();
if (!notes) {
  console.error(`changelog-section.mjs: CHANGELOG.md has no section for version "${version}"`);
  process.exit(1);
}
// Joins wrapped lines, because GitHub shows every line break in release notes.
console.log(notes.replace(/(?<!\n)\n(?![\n#-]) */g, ' '));
