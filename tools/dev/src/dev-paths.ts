import path from 'node:path';
import { dataDir } from '@shop/test-servers';

export const runDir = path.join(dataDir, 'run');
export const logDir = path.join(runDir, 'logs');
/** The path in Nginx's rendered configuration. error.log is in the same folder. */
export const accessLog = path.join(runDir, 'nginx/logs/access.log');
export const stateFile = path.join(runDir, 'fleet.json');
