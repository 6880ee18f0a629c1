import { Document, isScalar, Scalar, visit } from 'yaml';
import type { DeployFiles } from './files';
import { ofKind, readManifests } from './manifests';
import type { Check, Found } from './problem';

/** ConfigMaps that carry files of this repository into the cluster: where each text comes from. */
const carried: { file: string; why: string; maps: Record<string, Record<string, string>> }[] = [
  {
    file: 'k8s/mysql-init.yaml',
    why: 'sql/ and scripts/db-seed.sh, which MySQL runs once, on an empty data folder.',
    maps: {
      'mysql-init': {
        'schema.sql': 'sql/schema.sql',
        'seed.sql': 'sql/seed.sql',
        'db-seed.sh': 'scripts/db-seed.sh',
      },
    },
  },
  {
    file: 'k8s/nginx-config.yaml',
    why: 'nginx/, as far as the gateway needs it here.',
    maps: {
      'nginx-templates': {
        'nginx.conf.template': 'nginx/containers/nginx.conf.template',
        'default.conf.template': 'nginx/templates/default.conf.template',
        'limits.sh': 'nginx/limits.sh',
      },
      'nginx-html': { 'openapi.json': 'nginx/html/openapi.json' },
    },
  },
];

/** JSON without its layout: it has to fit the 256 KiB that kubectl's annotations may have. */
const asCarried = (files: DeployFiles, source: string): string =>
  source.endsWith('.json') ? `${JSON.stringify(JSON.parse(files.read(source)))}\n` : files.read(source);

/** `npm run k8s:sync`: the manifests that carry copies, by path, as they have to be. */
export function generatedManifests(files: DeployFiles): Record<string, string> {
  return Object.fromEntries(
    carried.map(({ file, why, maps }) => {
      const documents = Object.entries(maps).map(([name, sources]) => {
        const data = Object.entries(sources).map(([key, source]): [string, string] => [key, asCarried(files, source)]);
        return configMap(name, Object.fromEntries(data));
      });
      return [file, `# Written by \`npm run k8s:sync\` from ${why}\n${documents.join('---\n')}`];
    }),
  );
}

function configMap(name: string, data: Record<string, string>): string {
  const metadata = { name, namespace: 'shop', labels: { 'app.kubernetes.io/part-of': 'shop' } };
  const document = new Document({ apiVersion: 'v1', kind: 'ConfigMap', metadata, data });
  visit(document, {
    Pair(_, { value }) {
      if (isScalar(value) && String(value.value).includes('\n')) value.type = Scalar.BLOCK_LITERAL;
    },
  });
  return document.toString({ lineWidth: 0 });
}

/** What the ConfigMaps carry is what stands in sql/ and nginx/. */
export const copiesAreTrue: Check = (files) => {
  const maps = ofKind(readManifests(files), 'ConfigMap');
  return carried.flatMap(({ file, maps: wanted }) =>
    Object.entries(wanted).flatMap(([name, sources]): Found[] => {
      const data = maps.find(({ metadata }) => metadata.name === name)?.data ?? {};
      const stray = Object.keys(data).filter((key) => !(key in sources));
      return [
        ...Object.entries(sources)
          .filter(([key, source]) => data[key] !== asCarried(files, source))
          .map(([key, source]) => ({
            file,
            at: `${name} ${key}`,
            message: `differs from ${source}: npm run k8s:sync`,
          })),
        ...stray.map((key) => ({ file, at: `${name} ${key}`, message: 'comes from nowhere: npm run k8s:sync' })),
      ];
    }),
  );
};
