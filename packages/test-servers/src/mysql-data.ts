import { execFile } from 'node:child_process';
import { createHash, randomUUID } from 'node:crypto';
import { cp, mkdir, rename, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { findBinary, requireProgram } from './binaries';
import { messageOf, OperatorError } from './errors';

const run = promisify(execFile);

/** The installed server program. MariaDB and MySQL differ in how they create a data folder and in a few options. */
export interface MysqlProgram {
  binary: string;
  flavour: 'mariadb' | 'mysql';
  version: string;
}

export async function mysqlProgram(): Promise<MysqlProgram> {
  const binary = requireProgram('mysql');
  const { stdout } = await run(binary, ['--no-defaults', '--version']);
  return { binary, flavour: /mariadb/i.test(stdout) ? 'mariadb' : 'mysql', version: stdout.trim() };
}

/** These servers do not run as root without this option. */
export const asRoot = (): string[] => (process.getuid?.() === 0 ? ['--user=root'] : []);

/** Small redo logs, because tests copy the data folder. */
export const redoLogOptions = ({ flavour }: MysqlProgram): string[] =>
  flavour === 'mariadb' ? ['--innodb-log-file-size=16M'] : ['--innodb-redo-log-capacity=33554432'];

const exists = (file: string): Promise<boolean> =>
  stat(file).then(
    () => true,
    () => false,
  );

/** Creates `dataDir` unless it exists. With `templates`, a folder of initialized data folders, it copies one of them. */
export async function ensureDataDir(program: MysqlProgram, dataDir: string, templates?: string): Promise<void> {
  if (await exists(dataDir)) return;
  if (templates === undefined) return appear(dataDir, (folder) => initialise(program, folder));
  const key = createHash('sha256').update(`${program.binary} ${program.version}`).digest('hex').slice(0, 12);
  const template = path.join(templates, `${program.flavour}-${key}`);
  if (!(await exists(template))) await appear(template, (folder) => initialise(program, folder));
  await appear(dataDir, (folder) => cp(template, folder, { recursive: true }));
}

/** Creates the folder atomically: after an interruption or a concurrent call it is either complete or absent. */
async function appear(folder: string, fill: (folder: string) => Promise<void>): Promise<void> {
  const draft = `${folder}.${randomUUID()}`;
  await mkdir(path.dirname(folder), { recursive: true, mode: 0o700 });
  try {
    await fill(draft);
    await rename(draft, folder).catch(async (error: unknown) => {
      if (!(await exists(folder))) throw error;
    });
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
}

async function initialise(program: MysqlProgram, dataDir: string): Promise<void> {
  const common = ['--no-defaults', `--datadir=${dataDir}`, ...redoLogOptions(program)];
  const [command, args] =
    program.flavour === 'mysql'
      ? [program.binary, [...common, ...asRoot(), '--initialize-insecure']]
      : [
          // Without --user, because with it the script runs `chown` on an unquoted path.
          requireInstaller(),
          [...common, '--skip-test-db', '--skip-name-resolve', '--auth-root-authentication-method=socket'],
        ];
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  try {
    // Like every start, this deletes temporary tables in TMPDIR. The system's TMPDIR may have those of another server.
    await run(command, args, { maxBuffer: 1 << 26, env: { ...process.env, TMPDIR: dataDir } });
  } catch (error) {
    const output = error instanceof Error && 'stderr' in error ? String(error.stderr).trim() : '';
    throw new OperatorError(`the data folder ${dataDir} cannot be created: ${output || messageOf(error)}`);
  }
}

function requireInstaller(): string {
  const installer = findBinary('mariadb-install-db', 'mysql_install_db');
  if (installer === undefined) throw new OperatorError('mariadb-install-db is missing (package mariadb-server-core)');
  return installer;
}
