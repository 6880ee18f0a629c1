import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

/** core is a set of folders. Each folder is imported through its index. */

interface Import {
  file: string;
  from: string;
  /** The imported package, or a path relative to src. */
  target: string;
}

const sourceFiles = readdirSync(__dirname, { recursive: true, encoding: 'utf8' }).filter(
  (file) => file.includes(path.sep) && file.endsWith('.ts'),
);

const imports: Import[] = sourceFiles.flatMap((file) => {
  const source = readFileSync(path.join(__dirname, file), 'utf8');
  const specifiers = source.matchAll(
    /^(?:import|export|\} from)\b[^;'\n]*'([^']+)'|\b(?:import|require)\('([^']+)'\)/gm,
  );
  return [...specifiers].map(([, declared = '', called = declared]) => ({
    file,
    from: folderOf(file),
    target: called.startsWith('.') ? path.join(path.dirname(file), called) : called,
  }));
});

function folderOf(file: string): string {
  return file.split(path.sep)[0] ?? '';
}

const isInCore = ({ target }: Import): boolean => existsInCore.has(folderOf(target));
const existsInCore = new Set(sourceFiles.map(folderOf));
const isTest = ({ file }: Import): boolean => file.endsWith('.test.ts');
const format = ({ file, target }: Import): string => `${file} imports ${target}`;

/** For each folder, the folders that its files import. */
const dependencies = new Map(
  [...existsInCore].map((folder) => {
    const own = imports.filter((one) => one.from === folder && isInCore(one) && !isTest(one));
    return [folder, new Set(own.map(({ target }) => folderOf(target)).filter((target) => target !== folder))];
  }),
);

function foldersInCycles(): string[] {
  const reachable = (folder: string, seen = new Set<string>()): Set<string> => {
    for (const next of dependencies.get(folder) ?? []) {
      if (!seen.has(next)) reachable(next, seen.add(next));
    }
    return seen;
  };
  return [...dependencies.keys()].filter((folder) => reachable(folder).has(folder));
}

test('the test finds the imports of core', () => {
  expect(dependencies.get('http')).toContain('errors');
  expect(imports.filter(({ target }) => target === 'express').length).toBeGreaterThan(5);
});

test('the folders of core have no circular dependencies', () => {
  const inCycles = foldersInCycles();
  console.info(`core: ${dependencies.size} folders, ${inCycles.length} of them in dependency cycles`);
  expect(inCycles).toEqual([]);
});

test('core imports no other @shop package', () => {
  const wrong = imports.filter((one) => one.target.startsWith('@shop/') && !isTest(one));
  expect(wrong.map(format)).toEqual([]);
});

test('folders of core import each other only through their index', () => {
  const wrong = imports.filter(
    (one) => isInCore(one) && folderOf(one.target) !== one.from && one.target.includes(path.sep),
  );
  expect(wrong.map(format)).toEqual([]);
});

test('each folder of core is an entry in package.json exports', () => {
  const { exports } = JSON.parse(readFileSync(path.join(__dirname, '../package.json'), 'utf8'));
  const entries = Object.keys(exports).filter((entry) => entry !== '.' && entry !== './package.json');
  expect(entries.sort()).toEqual([...existsInCore].map((folder) => `./${folder}`).sort());
});
