import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { repoRoot } from '@shop/test-servers';
import {
  anchorsIn,
  blocksIn,
  documents,
  type Link,
  linksIn,
  type ShellBlock,
  shellBlocksIn,
  textOf,
} from './support/documents';

const at = ({ document, line }: { document: string; line: number }, problem: string) =>
  `${document}:${line}: ${problem}`;
const shellBlocks = documents.flatMap((document) => shellBlocksIn(document));

test('every fenced block names its language: without one, a shell block would go unnoticed', () => {
  const blocks = documents.flatMap((document) => blocksIn(document));
  expect(blocks.length).toBeGreaterThan(40);
  expect(blocks.filter(({ language }) => !language).map((block) => at(block, 'no language'))).toEqual([]);
});

test('every shell block is tagged start, run, dry, or shown with a reason', () => {
  expect(shellBlocks.filter(({ tag }) => !tag).map((block) => at(block, `tag "${block.info}"`))).toEqual([]);
});

test.each([
  ['sh', undefined],
  ['sh run', 'run'],
  ['bash start', 'start'],
  ['console dry', 'dry'],
  ['sh shown', undefined],
  ['sh shown: ', undefined],
  ['sh shown: needs an account', 'shown'],
  ['sh runs', undefined],
  ['sh run dry', undefined],
])('the tag of "```%s" is %s', (fence, tag) => {
  const text = `1. A step:\n\n   \`\`\`${fence}\n   one\n     two\n   \`\`\`\n`;
  expect(shellBlocksIn('a.md', text)).toMatchObject([{ line: 3, tag, text: 'one\n  two\n' }]);
});

const scripts = new Map(
  ['package.json', 'cloud/aws/package.json', 'cloud/gcp/package.json', 'cloud/azure/package.json'].map((file) => [
    path.dirname(file),
    Object.keys(JSON.parse(readFileSync(path.join(repoRoot, file), 'utf8')).scripts),
  ]),
);

/** What a block calls or reads of this repository, and does not exist. */
function missingIn({ document, text }: ShellBlock): string[] {
  const known = [...(scripts.get('.') ?? []), ...(scripts.get(path.dirname(document)) ?? [])];
  const called = [...text.matchAll(/npm run (?:--silent )?([\w:]+)/g)].map(([, name = '']) => name);
  const files = [
    ...text.matchAll(/(?<![\w./-])((?:\.\/)?(?:k8s|scripts|tools|sql|nginx|monitoring|docs)\/[\w./-]*\w)/g),
  ];
  return [
    ...called.filter((name) => !known.includes(name)).map((name) => `npm run ${name}`),
    ...files.map(([, file = '']) => file).filter((file) => !isFile(file)),
  ];
}

/** Compiled code need not be there yet. */
const isFile = (file: string) =>
  existsSync(path.join(repoRoot, file.replace('/dist/', '/src/').replace(/(?<=\/src\/.*)\.js$/, '.ts')));

test('what a shell block calls or reads of this repository exists', () => {
  expect(shellBlocks.flatMap((block) => missingIn(block).map((name) => at(block, name)))).toEqual([]);
  const block: ShellBlock = { document: 'README.md', line: 1, language: 'sh', info: 'dry', tag: 'dry', text: '' };
  expect(missingIn({ ...block, text: 'npm run gone && kubectl apply -f k8s/gone.yaml && npm run check' })).toEqual([
    'npm run gone',
    'k8s/gone.yaml',
  ]);
});

function brokenLink({ document, file, anchor }: Link): boolean {
  const target = file ? path.join(path.dirname(document), file) : document;
  // Links to pages of the repository on GitHub, and to pages of the running shop, which tests/openapi.test.ts checks.
  if (target.startsWith('..') || file.startsWith('/')) return false;
  if (!existsSync(path.join(repoRoot, target))) return true;
  return Boolean(anchor) && !anchorsIn(target).has(`${anchor}`);
}

test('every link leads to a file, and to a heading of it', () => {
  const links = documents.flatMap((document) => linksIn(document));
  expect(links.length).toBeGreaterThan(100);
  expect(links.filter(brokenLink).map((link) => at(link, `${link.file}#${link.anchor ?? ''}`))).toEqual([]);
  const [missing, wrong, right] = linksIn('docs/a.md', '[a](gone.md) [b](deploying.md#gone) [c](deploying.md#swarm)');
  expect([missing, wrong, right].map((link) => link && brokenLink(link))).toEqual([true, true, false]);
});

/** Paths of this repository in code spans. Not patterns, and not the migrations that a reader will write. */
const pathsIn = (text: string): string[] =>
  [
    ...text.matchAll(
      /`((?:\.github|bench|cloud|docs|k8s|monitoring|nginx|packages|scripts|services|sql|tests|tools)\/[\w./-]*\w)`/g,
    ),
  ]
    .map(([, found = '']) => found)
    .filter((found) => !found.startsWith('sql/migrations/'));

test('every file that a document names in a code span exists, from the root or from its folder', () => {
  const named = documents.flatMap((document) => pathsIn(textOf(document)).map((file) => ({ document, file })));
  expect(named.length).toBeGreaterThan(100);
  const missing = named.filter(
    ({ document, file }) => !isFile(file) && !isFile(path.join(path.dirname(document), file)),
  );
  expect(missing).toEqual([]);
});

test('every heading of the original has an answer, and how it is checked', () => {
  const rows = [...textOf('docs/original-headings.md').matchAll(/^\| (?!heading|---)(.*) \|$/gm)].map(
    ([, row = '']) => row,
  );
  expect(rows).toHaveLength(195);
  expect(rows.filter((row) => !/^\S.* \| \S.* \| \S/.test(row))).toEqual([]);
});

test("VS Code's own schemas and the files that they are for exist", () => {
  const settings = JSON.parse(textOf('.vscode/settings.json'));
  const schemas = Object.entries<string>(settings['yaml.schemas']);
  const files = schemas.flatMap(([schema, files]) => (schema.startsWith('./') ? [schema, files] : [files]));
  expect(files.filter((file) => !file.includes('*') && !isFile(file))).toEqual([]);
});

test('every picture that scripts/screenshot.mjs makes is in docs', () => {
  const pictures = [...textOf('scripts/screenshot.mjs').matchAll(/save\(\w+, '([\w-]+\.png)'\)/g)];
  expect(pictures.length).toBeGreaterThan(2);
  expect(pictures.map(([, file = '']) => `docs/${file}`).filter((file) => !isFile(file))).toEqual([]);
});
