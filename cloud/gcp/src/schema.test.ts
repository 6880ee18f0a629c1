import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';
import { ProviderSchema } from '../../shared/provider-schema';
import { repoRoot } from '../../shared/repo';

const schema = new ProviderSchema(path.join(repoRoot, 'cloud/gcp/node_modules/@pulumi/gcp'));
const problems = (type: string, inputs: unknown) => schema.problemsOf({ type, name: 'x', inputs });

const policy = 'gcp:compute/securityPolicy:SecurityPolicy';
const match = { versionedExpr: 'SRC_IPS_V1', config: { srcIpRanges: ['*'] } };
const rule = { action: 'allow', priority: 1, match };

test('a correct resource has no problems', () => {
  assert.deepEqual(problems(policy, { rules: [rule] }), []);
});

test('an unknown field, a missing field and a wrong type are problems', () => {
  assert.deepEqual(problems(policy, { rules: [{ ...rule, srcIpRanges: '*' }] }), [
    `${policy} x: rules: 0: unknown field "srcIpRanges"`,
  ]);
  assert.deepEqual(problems(policy, { rules: [{ action: 'allow', priority: 1 }] }), [
    `${policy} x: rules: 0: the field "match" is missing`,
  ]);
  assert.deepEqual(problems(policy, { rules: [{ ...rule, priority: '1000' }] }), [
    `${policy} x: rules: 0: priority: must be a number`,
  ]);
  assert.deepEqual(problems(policy, { rules: rule }), [`${policy} x: rules: must be a list`]);
});

test('a value that the provider does not list is a problem', () => {
  const rateLimitOptions = { enforceOnKey: 'SOURCE' };
  assert.match(problems(policy, { rules: [{ ...rule, rateLimitOptions }] }).join(), /"SOURCE" is none of ALL, IP, /);
  const redis = 'gcp:redis/instance:Instance';
  assert.deepEqual(problems(redis, { memorySizeGb: 1, tier: 'STANDARD' }), [
    `${redis} x: tier: "STANDARD" is none of BASIC, STANDARD_HA`,
  ]);
});

test('an unknown kind of resource is an error', () => {
  assert.throws(() => problems('gcp:compute/cloudArmor:CloudArmor', {}), /does not exist|there is no/);
});
