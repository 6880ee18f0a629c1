import path from 'node:path';

/** The repository's root: the same relative path from `src/` (tests) and `dist/`. */
export const repoRoot = path.resolve(__dirname, '../../..');

/** All data of the fleet on this machine. It can be deleted while nothing runs. One fleet per folder. */
export const dataDir = path.resolve(repoRoot, process.env.SHOP_DATA_DIR || '.data');

export const runDir = path.join(dataDir, 'run');
export const logDir = path.join(runDir, 'logs');
/** The path in Nginx's rendered configuration. error.log is in the same folder. */
export const accessLog = path.join(runDir, 'nginx/logs/access.log');
export const stateFile = path.join(runDir, 'fleet.json');

/** The path for display, relative to the repository's root if it is inside. */
export const displayPath = (file: string): string => {
  const relative = path.relative(repoRoot, file);
  return relative === '' || relative.startsWith('..') ? file : relative;
};
