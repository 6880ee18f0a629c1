// kubernetes-schemas.mjs VERSION
//
// Regenerates tools/deploy/schemas/kubernetes.json from that version of @kubernetes/client-node, the Kubernetes
// project's own client, whose classes are generated from the API's OpenAPI document. Its README lists which version
// supports which API. The schema rejects unknown fields, like kubectl with --validate=strict.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

/** The kinds that k8s/ and cloud/ may contain. */
const kinds = [
  ['v1', 'Namespace', 'V1Namespace'],
  ['v1', 'ConfigMap', 'V1ConfigMap'],
  ['v1', 'Secret', 'V1Secret'],
  ['v1', 'Service', 'V1Service'],
  ['v1', 'ServiceAccount', 'V1ServiceAccount'],
  ['v1', 'PersistentVolumeClaim', 'V1PersistentVolumeClaim'],
  ['v1', 'PersistentVolume', 'V1PersistentVolume'],
  ['apps/v1', 'Deployment', 'V1Deployment'],
  ['apps/v1', 'StatefulSet', 'V1StatefulSet'],
  ['apps/v1', 'DaemonSet', 'V1DaemonSet'],
  ['batch/v1', 'Job', 'V1Job'],
  ['batch/v1', 'CronJob', 'V1CronJob'],
  ['autoscaling/v2', 'HorizontalPodAutoscaler', 'V2HorizontalPodAutoscaler'],
  ['policy/v1', 'PodDisruptionBudget', 'V1PodDisruptionBudget'],
  ['networking.k8s.io/v1', 'NetworkPolicy', 'V1NetworkPolicy'],
  ['networking.k8s.io/v1', 'Ingress', 'V1Ingress'],
];

const [version] = process.argv.slice(2);
if (!version) {
  console.error('which version of @kubernetes/client-node? For example: node scripts/kubernetes-schemas.mjs 2.0.1');
  process.exit(2);
}
const target = path.resolve(import.meta.dirname, '../tools/deploy/schemas/kubernetes.json');
const folder = mkdtempSync(path.join(tmpdir(), 'kubernetes-schemas-'));
try {
  const npmPack = ['pack', `@kubernetes/client-node@${version}`, '--silent', '--pack-destination', folder];
  const archive = execFileSync('npm', npmPack, { encoding: 'utf8' }).trim();
  execFileSync('tar', ['-xzf', path.join(folder, archive), '-C', folder]);
  const schema = schemaOf(path.join(folder, 'package/dist/gen/models'));
  writeFileSync(target, `${JSON.stringify(schema, null, 1)}\n`);
  console.log(`${path.relative(process.cwd(), target)}: ${Object.keys(schema.definitions).length} definitions`);
} finally {
  rmSync(folder, { recursive: true });
}

function schemaOf(models) {
  const definitions = {};
  const waiting = kinds.map(([, , model]) => model);
  for (let model = waiting.pop(); model; model = waiting.pop()) {
    if (definitions[model]) continue;
    definitions[model] = definitionOf(models, model, (other) => waiting.push(other));
  }
  for (const [apiVersion, kind, model] of kinds) {
    const { properties, required = [] } = definitions[model];
    Object.assign(properties, { apiVersion: { const: apiVersion }, kind: { const: kind } });
    definitions[model].required = [...new Set(['apiVersion', 'kind', 'metadata', ...required])];
  }
  const [, release] = /OpenAPI spec version: (\S+)/.exec(source(models, 'V1Pod.js'));
  return {
    $comment: `Kubernetes ${release}, from @kubernetes/client-node ${version} (Apache-2.0) by scripts/kubernetes-schemas.mjs`,
    kinds: Object.fromEntries(kinds.map(([api, kind, model]) => [`${api} ${kind}`, `#/definitions/${model}`])),
    definitions: Object.fromEntries(Object.entries(definitions).sort(([a], [b]) => (a < b ? -1 : 1))),
  };
}

/** The .js file has the fields and their types; only the .d.ts file shows which of them are required. */
function definitionOf(models, model, reach) {
  const [, list] = /\.attributeTypeMap = (\[[\s\S]*?\n\]);/.exec(source(models, `${model}.js`));
  const declared = source(models, `${model}.d.ts`);
  const fields = JSON.parse(list);
  const required = fields.filter(({ name }) => new RegExp(`^    '${name}':`, 'm').test(declared));
  return {
    type: 'object',
    additionalProperties: false,
    ...(required.length > 0 ? { required: required.map(({ baseName }) => baseName) } : {}),
    properties: Object.fromEntries(
      fields.map(({ baseName, type, format }) => [baseName, typeSchema(type, format, reach)]),
    ),
  };
}

function typeSchema(type, format, reach) {
  const list = /^Array<(.*)>$/.exec(type);
  if (list) return { type: 'array', items: typeSchema(list[1], format, reach) };
  const map = /^\{ \[key: string\]: (.*); \}$/.exec(type);
  if (map) return { type: 'object', additionalProperties: typeSchema(map[1], format, reach) };
  switch (type) {
    case 'string':
      return { type };
    case 'boolean':
      return { type };
    case 'number':
      return { type: /^int/.test(format) ? 'integer' : 'number' };
    case 'Date':
      return { type: 'string' };
    case 'IntOrString':
      return { type: ['integer', 'string'] };
    case 'any':
      return {};
  }
  if (!/^[A-Z]\w+$/.test(type)) throw new Error(`unknown type: ${type}`);
  reach(type);
  return { $ref: `#/definitions/${type}` };
}

function source(models, file) {
  return readFileSync(path.join(models, file), 'utf8');
}
