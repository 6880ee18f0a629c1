import { execFile, spawn } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Env } from '@shop/core/config';
import { freePort, repoRoot } from '@shop/test-servers';
import { dropBareDatabases, eventually, S3_KEYS, type S3Server, startS3Server } from '@shop/testing';
import { aShopToBackUp, filesBelow } from '../tests/shop';

afterEach(dropBareDatabases);

const cli = path.join(repoRoot, 'tools/backup/dist/cli.js');
const inEnvironment = (env: Env) => ({ cwd: repoRoot, env: { ...process.env, ...env } });

/** Runs the command as a process: its exit code and output. */
const run = (env: Env, args = ['backup'], command = [process.execPath, cli]) =>
  new Promise<{ code: number; stdout: string; stderr: string }>((resolve) => {
    const [program = '', ...rest] = [...command, ...args];
    execFile(program, rest, inEnvironment(env), (error, stdout, stderr) => {
      resolve({ code: Number(error?.code ?? 0), stdout, stderr });
    });
  });

const bucketEnv = ({ endpoint }: S3Server, location: string): Env => ({
  BACKUP_TARGET: location,
  S3_ENDPOINT: endpoint,
  S3_ACCESS_KEY_ID: S3_KEYS.accessKeyId,
  S3_SECRET_ACCESS_KEY: S3_KEYS.secretAccessKey,
});

describe('to a folder', () => {
  test('makes a backup, and prints what it did', async () => {
    const shop = await aShopToBackUp();
    await shop.upload('hello');
    const { code, stdout, stderr } = await run(shop.env);
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(/^snapshot of \S+Z, writers waited for at most \d+ ms\n/);
    expect(stdout).toMatch(
      /^\d+ tables, \d+ rows, \d+ bytes\n1 uploads, 1 of them new\nbackup \S+ in \S+ is complete\n$/m,
    );
    expect(await filesBelow(shop.folder)).toContain(`${/backup (\S+) in/.exec(stdout)?.[1]}/manifest.json`);
    expect(await shop.recorded()).toHaveLength(1);
  });

  test('a target that cannot be written is one line, exit code 1, and no record', async () => {
    const shop = await aShopToBackUp();
    const file = `${shop.uploads}-file`;
    await writeFile(file, '');
    expect(await run(shop.env, ['backup', path.join(file, 'target')])).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^backup failed: ENOTDIR: not a directory, .*\n$/),
    });
    expect(await shop.recorded()).toEqual([]);
  });

  test('a full target is one line, exit code 1, no record, and the space is free again', async () => {
    const shop = await aShopToBackUp();
    const users = Array.from({ length: 5000 }, (_, n) => [`${Math.random()}`, `${n}@example.com`]);
    await shop.database.connection.query('INSERT INTO users (name, email) VALUES ?', [users]);
    // In blocks of 1 KiB: the table users is larger, the others are smaller.
    const limited = ['bash', '-c', 'ulimit -f 16; exec "$@"', 'limited', process.execPath, cli];
    expect(await run(shop.env, ['backup'], limited)).toMatchObject({
      code: 1,
      stderr: 'backup failed: EFBIG: file too large, write\n',
    });
    expect(await shop.recorded()).toEqual([]);
    expect(await filesBelow(shop.folder)).toEqual([]);
    expect((await run(shop.env)).code).toBe(0);
  });
});

describe('to a bucket', () => {
  let s3: S3Server;
  beforeEach(async () => {
    s3 = await startS3Server('backups');
  });
  afterEach(() => s3.close());
  const namesIn = (prefix: string) =>
    [...s3.objects.keys()].filter((name) => name.startsWith(prefix)).map((name) => name.slice(prefix.length));

  test('stores below the prefix, and copies uploads once', async () => {
    const shop = await aShopToBackUp();
    const env = { ...shop.env, ...bucketEnv(s3, 's3://backups/shop/one/') };
    const name = await shop.upload('hello');
    expect(await run(env)).toMatchObject({ code: 0, stderr: expect.not.stringContaining('failed') });
    const names = namesIn('shop/one/');
    expect(names).toHaveLength(s3.objects.size);
    expect(names).toContain(`uploads/${name}`);
    expect(names.filter((key) => key.endsWith('/manifest.json'))).toHaveLength(1);
    const { modified } = s3.objects.get(`shop/one/uploads/${name}`) ?? {};
    expect((await run(env)).stdout).toContain('1 uploads, 0 of them new');
    expect(s3.objects.get(`shop/one/uploads/${name}`)?.modified).toBe(modified);
  });

  test('a bucket that fails is exit code 1, no record, and no manifest', async () => {
    const shop = await aShopToBackUp();
    let puts = 0;
    s3.onPut = () => {
      puts += 1;
      return puts > 3 ? 507 : undefined;
    };
    const { code, stderr } = await run({ ...shop.env, ...bucketEnv(s3, 's3://backups') });
    expect([code, stderr]).toEqual([1, expect.stringContaining('backup failed: ')]);
    expect(namesIn('').filter((name) => !name.startsWith('uploads/'))).toEqual([]);
    expect(await shop.recorded()).toEqual([]);
  });

  test('kill -9 half way leaves no manifest and no lock, and the next run works', async () => {
    const shop = await aShopToBackUp();
    const env = { ...shop.env, ...bucketEnv(s3, 's3://backups') };
    const child = spawn(process.execPath, [cli, 'backup'], inEnvironment(env));
    const exited = new Promise((resolve) => child.once('exit', (_, signal) => resolve(signal)));
    s3.onPut = () => {
      if (s3.objects.size === 5) child.kill('SIGKILL');
      return undefined;
    };
    expect(await exited).toBe('SIGKILL');
    expect(namesIn('').filter((name) => name.endsWith('manifest.json'))).toEqual([]);
    expect(await shop.recorded()).toEqual([]);
    s3.onPut = undefined;
    // The server may not have noticed yet that the connection of the killed process is gone.
    await eventually('the next backup', async () => (await run(env)).code === 0);
    expect(namesIn('').filter((name) => name.endsWith('manifest.json'))).toHaveLength(1);
  });

  test('needs its keys', async () => {
    const shop = await aShopToBackUp();
    expect(await run(shop.env, ['backup', 's3://backups'])).toMatchObject({
      code: 1,
      stderr: 'backup failed: s3://backups needs S3_ACCESS_KEY_ID and S3_SECRET_ACCESS_KEY\n',
    });
  });
});

describe('the command line and the settings', () => {
  test.each([
    [['backup', 'a', 'b'], 'there is one TARGET, but got "b" too'],
    [['backup', '--fast'], "Unknown option '--fast'"],
    [['upload'], 'unknown command "upload", expected one of backup, restore, drill'],
  ])('%j is exit code 2', async (args, message) => {
    const { code, stderr } = await run({}, args);
    expect([code, stderr]).toEqual([2, expect.stringContaining(message)]);
    expect(stderr).toContain('usage: npm run backup -- TARGET');
  });

  test('wrong settings are reported all at once', async () => {
    const env = { BACKUP_KEEP_LAST: '0', BACKUP_KEEP_DAILY: 'many', DB_PORT: 'x', DB_PASS_FILE: '/nowhere' };
    const { code, stderr } = await run({ ...env, DB_PASS: '' });
    expect([code, stderr]).toEqual([1, expect.stringMatching(/^Cannot start, the settings are wrong:\n/)]);
    for (const name of ['BACKUP_KEEP_LAST', 'BACKUP_KEEP_DAILY', 'DB_PORT', 'DB_PASS_FILE']) {
      expect(stderr).toContain(`  - ${name}: `);
    }
  });

  test('a missing target, a wrong key and an unreachable database are one line each', async () => {
    const { env } = await aShopToBackUp();
    expect(await run({ ...env, BACKUP_TARGET: '' })).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/^TARGET is missing\n/),
    });
    expect(await run({ ...env, BACKUP_RECIPIENT: 'AGE-SECRET-KEY-1ABC' })).toMatchObject({
      code: 1,
      stderr: 'backup failed: BACKUP_RECIPIENT is a secret key: it must be the public key that belongs to it (age1…)\n',
    });
    const DB_PORT = String(await freePort());
    expect(await run({ ...env, DB_PORT })).toMatchObject({
      code: 1,
      stderr: `backup failed: the database ${env.DB_NAME} at 127.0.0.1:${DB_PORT} cannot be used: connect ECONNREFUSED 127.0.0.1:${DB_PORT}\n`,
    });
  });
});
