import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Stack } from 'aws-cdk-lib';
import { newApp } from '../lib/app';
import { productionSettings } from '../lib/repository';
import { readChoices, readSettings } from '../lib/settings';
import { CHOSEN, ZONE } from './support';

function read<T>(reader: (stack: Stack) => T, context: Record<string, unknown>): { result: T; errors: unknown[] } {
  const stack = new Stack(newApp(context), 'Stack');
  const result = reader(stack);
  return { result, errors: stack.node.metadata.filter(({ type }) => type === 'aws:cdk:error').map(({ data }) => data) };
}

test('settings are those of .env.production, and -c overrides them', () => {
  const { result, errors } = read(readSettings, { ...CHOSEN, LOG_LEVEL: 'debug' });
  assert.deepEqual(errors, []);
  const expected: Record<string, string> = { ...productionSettings(), ...CHOSEN, LOG_LEVEL: 'debug' };
  assert.deepEqual(result, expected);
  assert.equal(expected.APP_ENV, 'production');
});

test('what production needs is an error at synthesis, not at the start of a task', () => {
  const { errors } = read(readSettings, {});
  assert.deepEqual(errors, [
    'SMTP_HOST is required: set it in .env.production, or with -c SMTP_HOST=…',
    'PASSWORD_RESET_URL is required: set it in .env.production, or with -c PASSWORD_RESET_URL=…',
  ]);
});

test('only optional keys that the stack does not make can be given as secrets', () => {
  assert.deepEqual(read(readChoices, { keys: 'FACTOR_KEY_PREVIOUS,JWT_PRIVATE_KEY' }).errors, []);
  for (const key of ['FACTOR_KEY', 'JWT_SECRET', 'JWT_PRIVATE_KEYS']) {
    assert.match(String(read(readChoices, { keys: key }).errors), new RegExp(`${key} is none of JWT_SECRET_NEXT,`));
  }
});

test('a domain needs a zone or a certificate', () => {
  assert.deepEqual(read(readChoices, ZONE).errors, []);
  assert.deepEqual(read(readChoices, { domainName: 'api.shop.test', certificateArn: 'arn:…' }).errors, []);
  assert.match(String(read(readChoices, { domainName: 'api.shop.test' }).errors), /domainName needs/);
  assert.match(String(read(readChoices, { hostedZoneId: 'Z1' }).errors), /need each other/);
});
