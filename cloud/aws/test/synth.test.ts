import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { createApp } from '../lib/app';
import { CHOSEN, ZONE } from './support';

let outdir: string;
before(() => {
  outdir = mkdtempSync(path.join(tmpdir(), 'evermos-'));
});
after(() => rmSync(outdir, { recursive: true }));

const read = (...file: string[]) => readFileSync(path.join(outdir, ...file), 'utf8');

// The same checks as `cdk synth`: cdk-nag's AwsSolutions, CloudFormation's own rules, CDK's errors. The report is printed.
test('both stacks synthesize without an account, and cdk-nag has no finding without a reason', () => {
  createApp({ ...CHOSEN, ...ZONE, shieldAdvanced: 'true', eksAdminCidr: '203.0.113.0/24' }, outdir).synth();
  const { artifacts } = JSON.parse(read('manifest.json'));
  for (const id of ['EvermosStack', 'EvermosEksStack']) {
    assert.equal(artifacts[id].environment, 'aws://unknown-account/us-east-1');
  }
});

test('each image has the files that its Dockerfile copies', () => {
  const { dockerImages } = JSON.parse(read('EvermosStack.assets.json'));
  const folders: string[] = Object.values<{ source: { directory: string } }>(dockerImages).map(
    ({ source }) => source.directory,
  );
  assert.equal(folders.length, 7);
  for (const folder of folders) {
    const copied = [...read(folder, 'Dockerfile').matchAll(/^COPY (?!--from)(.+) \S+$/gm)].flatMap(([, sources = '']) =>
      sources.split(' '),
    );
    assert.ok(copied.length > 0);
    for (const source of copied) assert.ok(existsSync(path.join(outdir, folder, source)), source);
  }
});
