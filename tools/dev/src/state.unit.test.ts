import { mkdtempSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { readState } from './state';

const file = path.join(mkdtempSync(path.join(os.tmpdir(), 'state-')), 'fleet.json');

test.each(['', '{', 'null', '[]', '{}', '{"pid":"1","entries":[]}', '{"pid":1}'])('"%s" is no state', (text) => {
  writeFileSync(file, text);
  expect(readState(file)).toBeUndefined();
});

test('a missing file is no state', () => expect(readState(`${file}.other`)).toBeUndefined());

test('a state is read as it was written', () => {
  const state = { pid: 7, startedAt: '2026-01-01T00:00:00.000Z', entries: [] };
  writeFileSync(file, JSON.stringify(state));
  expect(readState(file)).toEqual(state);
});
