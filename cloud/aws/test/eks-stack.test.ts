import assert from 'node:assert/strict';
import { test } from 'node:test';
import { serviceNames, services } from '../../../packages/shop/src/services';
import { EvermosEksStack } from '../lib/eks-stack';
import { manifestsForEks } from '../lib/manifests';
import { type KubernetesObject, kubernetesFiles } from '../lib/repository';
import { CHOSEN, resourcesOf, templateOf, theOnly } from './support';

const imageOf = (name: string) => `registry.test/${name}:1`;
const objects = manifestsForEks({
  imageOf,
  settings: { ...CHOSEN, APP_ENV: 'production', NOT_A_SETTING: '1' },
}).flatMap((manifest) => manifest.objects);
const named = (kind: string, name: string): KubernetesObject =>
  objects.find((object) => object.kind === kind && object.metadata.name === name) ?? assert.fail(`no ${kind} ${name}`);

test('all files of k8s/ are applied, except three', () => {
  const kept = new Set(objects.map(({ kind, metadata }) => `${kind} ${metadata.name}`));
  const all = kubernetesFiles().flatMap((file) => file.objects.map(({ kind, metadata }) => `${kind} ${metadata.name}`));
  assert.deepEqual(
    all.filter((object) => !kept.has(object)),
    ['Ingress shop', 'Secret shop-secrets', 'PersistentVolumeClaim uploads'],
  );
});

test('pods use the images of this repository in ECR', () => {
  for (const name of serviceNames) {
    assert.equal(named('Deployment', name).spec.template.spec.containers[0].image, `registry.test/shop-${name}:1`);
  }
  assert.equal(named('Job', 'migrate').spec.template.spec.containers[0].image, 'registry.test/shop-auth:1');
  for (const name of ['backup', 'restore-drill']) {
    const { spec } = named('CronJob', name).spec.jobTemplate.spec.template;
    assert.equal(spec.containers[0].image, 'registry.test/shop-backup:1');
  }
  assert.match(named('Deployment', 'nginx').spec.template.spec.containers[0].image, /^nginx:/);
});

test("settings override the ConfigMap's, and add none", () => {
  const { data } = named('ConfigMap', 'shop-config');
  assert.equal(data.APP_ENV, 'production');
  assert.equal(data.SMTP_HOST, CHOSEN.SMTP_HOST);
  assert.equal(data.DB_HOST, 'db');
  assert.ok(!('NOT_A_SETTING' in data));
});

test('no pod waits for a disk that another node has', () => {
  const volumes = objects.flatMap(
    ({ spec }) => (spec?.template ?? spec?.jobTemplate?.spec.template)?.spec?.volumes ?? [],
  );
  const uploads = volumes.filter(({ name }: KubernetesObject) => name === 'uploads');
  const needs = serviceNames.map((name): readonly string[] => services[name].needs);
  const [backups, pods] = [2, needs.filter((of) => of.includes('uploads')).length];
  assert.equal(uploads.length, pods + backups);
  for (const volume of uploads) assert.deepEqual(volume, { name: 'uploads', emptyDir: { sizeLimit: '2Gi' } });
});

test('the cluster is private, and applies production settings with the bucket', () => {
  const template = templateOf(EvermosEksStack);
  const { ResourcesVpcConfig, AccessConfig, Logging } = theOnly(template, 'AWS::EKS::Cluster');
  assert.equal(ResourcesVpcConfig.EndpointPublicAccess, false);
  assert.equal(AccessConfig.AuthenticationMode, 'API');
  assert.equal(Logging.ClusterLogging.EnabledTypes.length, 5);
  const applied = JSON.stringify(resourcesOf(template, 'Custom::AWSCDK-EKS-KubernetesResource'));
  assert.match(applied, /APP_ENV\\+":\\+"production/);
  assert.match(applied, /S3_BUCKET\\+":\\+"",\{"Ref":"UploadsBucket/);
  assert.doesNotMatch(applied, /local-development-only-secret/);
  assert.doesNotMatch(applied, /shop-auth:latest/);
});

test('kubectl may reach the cluster only from the chosen network', () => {
  const template = templateOf(EvermosEksStack, { ...CHOSEN, eksAdminCidr: '203.0.113.0/24' });
  const { ResourcesVpcConfig } = theOnly(template, 'AWS::EKS::Cluster');
  assert.deepEqual(ResourcesVpcConfig.PublicAccessCidrs, ['203.0.113.0/24']);
});
