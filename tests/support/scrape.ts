import type { Metrics } from '@shop/core/metrics';

/** One line of a `/metrics` response. */
export interface Sample {
  name: string;
  labels: Record<string, string>;
  value: number;
}

/** The samples that Prometheus would scrape now. */
export async function scrape(url: string): Promise<Sample[]> {
  return samplesOf(await (await fetch(`${url}/metrics`)).text());
}

/** The same without HTTP. */
export const samplesIn = async ({ registry }: Metrics): Promise<Sample[]> => samplesOf(await registry.metrics());

export function samplesOf(text: string): Sample[] {
  return text
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => {
      const [, name = '', labels = '', value = ''] = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)$/.exec(line) ?? [];
      return { name, labels: labelsOf(labels), value: value === 'Nan' ? Number.NaN : Number(value) };
    });
}

function labelsOf(text: string): Record<string, string> {
  const pairs = text.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g);
  return Object.fromEntries([...pairs].map(([, name = '', value = '']) => [name, value]));
}

/** The sum over the series of `name` with these labels; undefined if there is none. */
export function figure(samples: Sample[], name: string, labels: Record<string, string> = {}): number | undefined {
  const wanted = Object.entries(labels);
  const found = samples.filter((one) => one.name === name && wanted.every(([key, value]) => one.labels[key] === value));
  return found.length === 0 ? undefined : found.reduce((sum, { value }) => sum + value, 0);
}

/** The values of a metric that are not 0, by one of its labels. */
export async function countsBy(label: string, metrics: Metrics, name: string): Promise<Record<string, number>> {
  const counted = (await samplesIn(metrics)).filter((one) => one.name === name && one.value > 0);
  return Object.fromEntries(counted.map(({ labels, value }) => [labels[label], value]));
}

/** The values that a label has, sorted. */
export const labelValues = (samples: Sample[], name: string, label: string): string[] =>
  [...new Set(samples.filter((one) => one.name === name).map(({ labels }) => labels[label] ?? ''))].sort();
