import path from 'node:path';

/** The repository's root; the same distance from `src/` (tests) and `dist/`. */
export const repoRoot = path.resolve(__dirname, '../../..');

/** Everything the fleet keeps on this machine lies below; it can be deleted while nothing runs. A fleet for each folder. */
export const dataDir = path.resolve(repoRoot, process.env.SHOP_DATA_DIR || '.data');

export const runDir = path.join(dataDir, 'run');
export const logDir = path.join(runDir, 'logs');
/** Nginx's own choice in its rendered configuration; error.log is beside it. */
export const accessLog = path.join(runDir, 'nginx/logs/access.log');
export const stateFile = path.join(runDir, 'fleet.json');

/** Paths as a person in the repository's root would type them. */
export const shown = (file: string): string => {
  const relative = path.relative(repoRoot, file);
  return relative === '' || relative.startsWith('..') ? file : relative;
};
