import { execFile, execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, symlink } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { messageOf, repoRoot } from '@shop/test-servers';

const run = promisify(execFile);

/** The last commit before `sql/migrations` existed. It stands in for the previous release until there is a tag. */
const UNTAGGED_RELEASE = { name: '0.2.0', commit: '74f6c63257ca81ca9cd48e74a20a9f359a7da3b4' };

interface PreviousRelease {
  /** Its tag, or its version if it has none. */
  name: string;
  commit: string;
}

/**
 * The release before the one in `repository`: the newest tag `v…` among the ancestors of HEAD. A tag of HEAD itself does not
 * count, so that a release is tested against the one before it.
 *
 * @returns `missing`: why it cannot be found, if this checkout has no history or only a part of it
 */
export function findPreviousRelease(
  repository = repoRoot,
  untagged: PreviousRelease = UNTAGGED_RELEASE,
): PreviousRelease | { missing: string } {
  const git = (...args: string[]) =>
    execFileSync('git', gitArgs(repository, args), { encoding: 'utf8', stdio: 'pipe' }).trim();
  try {
    if (git('rev-parse', '--is-shallow-repository') === 'true') {
      return { missing: 'this checkout is shallow: git fetch --unshallow --tags' };
    }
    const tags = git('tag', '--merged=HEAD', '--no-contains=HEAD', '--list', 'v[0-9]*', '--sort=-version:refname');
    const [newest] = tags.split('\n');
    const { name, commit } = newest ? { name: newest, commit: newest } : untagged;
    return { name, commit: git('rev-parse', '--verify', `${commit}^{commit}`) };
  } catch (error) {
    return { missing: `git does not know the previous release: ${messageOf(error)}` };
  }
}

/** In a CI container the checkout belongs to another user, which git accepts only for a folder that is named. */
const gitArgs = (repository: string, args: string[]): string[] => [
  ...['-C', repository, '-c', `safe.directory=${repository}`, '-c', 'versionsort.suffix=-'],
  ...args,
];

/**
 * Makes `folder`, with the files of a commit and its compiled services. They use the packages from npm of this checkout: the
 * subject of the test is the SQL that they send.
 */
export async function buildRelease(commit: string, folder: string): Promise<void> {
  const archive = `${folder}.tar`;
  await mkdir(folder);
  await run('git', gitArgs(repoRoot, ['archive', `--output=${archive}`, commit]));
  await run('tar', ['-xf', archive, '-C', folder]);
  const workspaces = await workspacesIn(folder);
  await linkPackages(folder, workspaces);
  const services = workspaces.filter((workspace) => workspace.startsWith('services/'));
  await run(process.execPath, [path.join(repoRoot, 'node_modules/typescript/bin/tsc'), '-b', ...services], {
    cwd: folder,
  });
}

/** Folders such as `services/auth`, relative to the release's folder. */
async function workspacesIn(folder: string): Promise<string[]> {
  const parents = await Promise.all(
    ['packages', 'services'].map(async (parent) =>
      (await readdir(path.join(folder, parent))).map((name) => `${parent}/${name}`),
    ),
  );
  return parents.flat();
}

/** A `node_modules` with the release's own workspaces, and everything else from this checkout. */
async function linkPackages(folder: string, workspaces: readonly string[]): Promise<void> {
  const installed = path.join(repoRoot, 'node_modules');
  const modules = path.join(folder, 'node_modules');
  await mkdir(path.join(modules, '@shop'), { recursive: true });
  const shared = (await readdir(installed)).filter((name) => name !== '@shop');
  await Promise.all(shared.map((name) => symlink(path.join(installed, name), path.join(modules, name))));
  for (const workspace of workspaces) {
    const { name } = JSON.parse(await readFile(path.join(folder, workspace, 'package.json'), 'utf8'));
    await symlink(path.join(folder, workspace), path.join(modules, name));
    // npm puts a package there if another workspace needs a different version of it.
    const own = path.join(repoRoot, workspace, 'node_modules');
    if (existsSync(own)) await symlink(own, path.join(folder, workspace, 'node_modules'));
  }
}
