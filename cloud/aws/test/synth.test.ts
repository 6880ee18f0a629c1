import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { createApp } from '../lib/app';
import { CHOSEN, ZONE } from './support';

// The same checks as `cdk synth`: cdk-nag's AwsSolutions, CloudFormation's own rules, CDK's errors. The report is printed.
test('both stacks synthesize without an account, and cdk-nag has no finding without a reason', () => {
  const outdir = mkdtempSync(path.join(tmpdir(), 'evermos-'));
  try {
    createApp({ ...CHOSEN, ...ZONE, shieldAdvanced: 'true', eksAdminCidr: '203.0.113.0/24' }, outdir).synth();
    const { artifacts } = JSON.parse(readFileSync(path.join(outdir, 'manifest.json'), 'utf8'));
    for (const id of ['EvermosStack', 'EvermosEksStack']) {
      assert.equal(artifacts[id].environment, 'aws://unknown-account/us-east-1');
    }
  } finally {
    rmSync(outdir, { recursive: true });
  }
});
