import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { repoRoot } from '@shop/test-servers';

const kinds = { dependencies: 'library', devDependencies: 'compiler', optionalDependencies: 'platform' };
const template = mkdtempSync(path.join(os.tmpdir(), 'packages-'));
let project: string;

/** Creates a project with a package of each kind and its lock file. */
beforeAll(() => {
  const manifest: Record<string, unknown> = { name: 'project', version: '1.0.0' };
  for (const [kind, name] of Object.entries(kinds)) {
    mkdirSync(path.join(template, name));
    writeFileSync(path.join(template, name, 'package.json'), JSON.stringify({ name, version: '1.0.0' }));
    npm(template, 'pack', `./${name}`);
    manifest[kind] = { [name]: `file:${name}-1.0.0.tgz` };
  }
  writeFileSync(path.join(template, 'package.json'), JSON.stringify(manifest));
  npm(template, 'install', '--package-lock-only');
  cpSync(path.join(repoRoot, 'scripts'), path.join(template, 'scripts'), { recursive: true });
});

beforeEach(() => {
  project = mkdtempSync(path.join(os.tmpdir(), 'packages-'));
  cpSync(template, project, { recursive: true });
});

const npm = (cwd: string, ...args: string[]) => execFileSync('npm', [...args, '--offline'], { cwd, stdio: 'pipe' });

const ensurePackages = (env: NodeJS.ProcessEnv = {}): string =>
  execFileSync('bash', ['scripts/ensure-packages.sh'], {
    cwd: project,
    env: { ...process.env, npm_config_offline: 'true', ...env },
    encoding: 'utf8',
  });

const installed = () => Object.values(kinds).filter((name) => existsSync(path.join(project, 'node_modules', name)));

test.each<[string, NodeJS.ProcessEnv]>([
  ['NODE_ENV=production', { NODE_ENV: 'production', npm_config_production: 'true' }],
  ['npm_config_omit=dev', { npm_config_omit: 'dev' }],
  ['npm_config_omit=optional', { npm_config_omit: 'optional' }],
])('with %s every package is installed once', (_, env) => {
  expect(ensurePackages(env)).toContain('installing');
  expect(installed()).toEqual(['library', 'compiler', 'platform']);
  expect(ensurePackages(env)).toBe('');
});

test.each(['dev', 'optional'])('packages omitted by an earlier installation (--omit=%s) are added', (kind) => {
  npm(project, 'ci', `--omit=${kind}`);
  expect(installed()).toHaveLength(2);
  ensurePackages();
  expect(installed()).toHaveLength(3);
});
