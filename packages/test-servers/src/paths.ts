import path from 'node:path';

/** The repository's root: the same relative path from `src/` (tests) and `dist/`. */
export const repoRoot = path.resolve(__dirname, '../../..');

/** All data on this machine. It can be deleted while nothing runs. One running shop per folder. */
export const dataDir = path.resolve(repoRoot, process.env.SHOP_DATA_DIR || '.data');

/** The path for display, relative to the repository's root if it is inside. */
export const displayPath = (file: string): string => {
  const relative = path.relative(repoRoot, file);
  return relative === '' || relative.startsWith('..') ? file : relative;
};
