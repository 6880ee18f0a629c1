import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';
import { ProviderSchema } from '../../shared/provider-schema';
import { repoRoot } from '../../shared/repo';

const schema = new ProviderSchema(path.join(repoRoot, 'cloud/azure/node_modules/@pulumi/azure-native'));
const problems = (type: string, inputs: unknown) => schema.problemsOf({ type, name: 'x', inputs });

const policy = 'azure-native:frontdoor:Policy';
const withRule = (rule: object) => ({ resourceGroupName: 'shop', customRules: { rules: [rule] } });
const matchConditions = [{ matchVariable: 'RequestUri', operator: 'Contains', matchValue: ['/'] }];
const rule = { priority: 100, ruleType: 'RateLimitRule', action: 'Block', matchConditions };

test('a correct resource has no problems', () => {
  assert.deepEqual(problems(policy, withRule(rule)), []);
});

test('a rate limit without a condition is a problem', () => {
  const { matchConditions: _, ...incomplete } = rule;
  assert.deepEqual(problems(policy, withRule(incomplete)), [
    `${policy} x: customRules: rules: 0: the field "matchConditions" is missing`,
  ]);
});

test('values that the API does not list are problems, although their type is string', () => {
  assert.match(
    problems(policy, withRule({ ...rule, action: 'Deny' })).join(),
    /action: "Deny" is none of Allow, Block, /,
  );
  const profile = { resourceGroupName: 'shop', location: 'Global' };
  assert.match(
    problems('azure-native:cdn:Profile', { ...profile, sku: { name: 'Premium_Verison' } }).join(),
    /"Premium_Verison" is none of /,
  );
});

test('an address with a DDoS plan of another field is a problem', () => {
  const ddosSettings = { ddosProtectionPlans: { id: 'plan' } };
  assert.deepEqual(problems('azure-native:network:PublicIPAddress', { resourceGroupName: 'shop', ddosSettings }), [
    'azure-native:network:PublicIPAddress x: ddosSettings: unknown field "ddosProtectionPlans"',
  ]);
});
