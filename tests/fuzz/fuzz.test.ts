import { fuzz, reportFuzz } from '@shop/fuzz';

test('three thousand requests generated from the OpenAPI document get only declared responses', async () => {
  const lines: string[] = [];
  const print = (line: string) => lines.push(line);
  const result = await fuzz({ seed: 20_261_126, requests: 3000, print });
  // Shows the whole report on failure.
  expect(reportFuzz(result, print) ? '' : lines.join('\n')).toBe('');
  const statuses = new Set([...result.counts.values()].flatMap((byStatus) => [...byStatus.keys()]));
  expect([...statuses]).toEqual(expect.arrayContaining([200, 201, 204, 400, 401, 403, 404, 413, 415]));
}, 600_000);
