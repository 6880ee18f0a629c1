import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { requireProgram } from './binaries';
import { type NginxOptions, renderNginxConfig } from './nginx-config';
import { type Server, type ServerEvents, server } from './server';

const run = promisify(execFile);

export type NginxServerOptions = NginxOptions &
  ServerEvents & { logFile?: string | undefined; dieWithParent?: boolean | undefined };

export interface NginxServer extends Server {
  readonly url: string;
}

/** The gateway, not started yet. Renders its configuration on every start. Ready when /health is 200. */
export function nginxServer(options: NginxServerOptions): NginxServer {
  const binary = requireProgram('nginx');
  const runDir = path.resolve(options.runDir);
  const url = `http://127.0.0.1:${options.port}`;
  const base = server({
    name: 'nginx',
    host: '127.0.0.1',
    port: options.port,
    logFile: options.logFile ?? path.join(runDir, 'nginx.log'),
    stopSignal: 'SIGQUIT', // lets requests in flight finish
    stopGraceMs: 5000,
    readyTimeoutMs: 20_000,
    healthUrl: `${url}/health`,
    launch: async () => {
      const config = await renderNginxConfig({ ...options, runDir });
      const foreground = /^\s*daemon\s+off\s*;/m.test(await readFile(config, 'utf8')) ? [] : ['-g', 'daemon off;'];
      return {
        command: binary,
        args: ['-c', config, '-p', runDir, ...(await earlyErrorsHere(binary)), ...foreground],
        cwd: runDir,
        dieWithParent: options.dieWithParent,
        deathSignal: 'TERM', // its workers would survive a kill of their master
      };
    },
    onDeath: options.onDeath,
  });
  return Object.assign(base, { url });
}

/** The same, started. */
export async function startNginx(options: NginxServerOptions): Promise<NginxServer> {
  const nginx = nginxServer(options);
  await nginx.start();
  return nginx;
}

/** Until Nginx has read its configuration, it logs to a file that only root can write. Since 1.19.5, -e changes that. */
async function earlyErrorsHere(binary: string): Promise<string[]> {
  const { stderr } = await run(binary, ['-v']);
  const [, major = 0, minor = 0, patch = 0] = (/(\d+)\.(\d+)\.(\d+)/.exec(stderr) ?? []).map(Number);
  return major * 1e6 + minor * 1e3 + patch >= 1_019_005 ? ['-e', 'stderr'] : [];
}
