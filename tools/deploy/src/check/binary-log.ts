import type { Check } from './check';
import { composeLayers } from './compose';
import { readWorkloads } from './manifests';

/** Whatever `npm run restore -- --until` relies on: every change since the backup, as whole rows, and nothing lost in a crash. */
const needed = {
  'log-bin': /./,
  'server-id': /^[1-9]/,
  'binlog-format': /^ROW$/,
  'binlog-row-image': /^FULL$/,
  'sync-binlog': /^1$/,
  // Without them, the volume fills up: the default is 30 days.
  'binlog-expire-logs-seconds': /^[1-9]/,
  'max-binlog-size': /^[1-9]/,
};

const OFF = /^--(?:skip|disable)-log-bin$/;

/** Checks that MySQL writes the binary log that a restore to a point in time needs, the same way in Compose and in Kubernetes. */
export const binaryLogIsOn: Check = (files) => {
  const inCompose = composeLayers(files).map(({ file, services }) => ({ file, flags: services.db?.command ?? [] }));
  const pod = readWorkloads(files).find(({ metadata }) => metadata.name === 'db')?.pod;
  const inKubernetes = { file: 'k8s/mysql.yaml', flags: pod?.containers[0]?.args ?? [] };
  const [first = inKubernetes] = inCompose;
  return [...inCompose, inKubernetes].flatMap(({ file, flags }) =>
    Object.entries(needed).flatMap(([name, allowed]) => {
      const value = flagOf(name, flags);
      const expected = flagOf(name, first.flags);
      if (!allowed.test(value)) return [`${file}: --${name}: is ${value || 'not set'}, so --until cannot restore`];
      return value === expected ? [] : [`${file}: --${name}: is ${value}, but ${expected} in ${first.file}`];
    }),
  );
};

function flagOf(name: string, flags: string[]): string {
  if (name === 'log-bin' && flags.some((flag) => OFF.test(flag))) return '';
  const prefix = `--${name}=`;
  return flags.findLast((flag) => flag.startsWith(prefix))?.slice(prefix.length) ?? '';
}
