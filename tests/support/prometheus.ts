import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { repoRoot } from '@shop/test-servers';
import { parse } from 'yaml';

export const monitoringDir = path.join(repoRoot, 'monitoring');

export interface Rule {
  alert?: string;
  record?: string;
  expr: string;
  for?: string;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
}

const yaml = <T>(file: string): T => parse(readFileSync(path.join(monitoringDir, file), 'utf8'));

export const rulesIn = (file: string): Rule[] =>
  yaml<{ groups: { rules: Rule[] }[] }>(file).groups.flatMap(({ rules }) => rules);

export interface RuleTest {
  name: string;
  alert_rule_test?: { alertname: string; exp_alerts?: { exp_labels: Record<string, string> }[] }[];
}
/** From the repository's root. */
export const ruleTestFiles = readdirSync(path.join(monitoringDir, 'tests')).map((file) => `monitoring/tests/${file}`);

export const ruleTests = (): RuleTest[] =>
  ruleTestFiles.flatMap((file) => yaml<{ tests: RuleTest[] }>(`tests/${path.basename(file)}`).tests);

export interface Panel {
  id: number;
  type: string;
  title: string;
  description?: string;
  gridPos: { h: number; w: number; x: number; y: number };
  targets?: { expr: string; legendFormat?: string }[];
  fieldConfig?: {
    defaults: { unit?: string };
    overrides: { properties: { id: string; value?: unknown }[] }[];
  };
}

export interface Dashboard {
  schemaVersion: number;
  panels: Panel[];
  templating: { list: { name: string; query: { query: string } }[] };
  annotations: { list: { name: string; expr?: string }[] };
}

export const dashboard = (): Dashboard =>
  JSON.parse(readFileSync(path.join(monitoringDir, 'grafana/dashboards/evermos-monitoring.json'), 'utf8'));

/** Replaces variables as Grafana does for "All" and a range of one hour. */
export const withoutVariables = (expr: string): string =>
  expr.replaceAll('$__rate_interval', '1m').replaceAll(/\$(service|instance)\b/g, '.*');

export interface Selector {
  metric: string;
  /** For example `up{job="shop"}`. */
  text: string;
}

/** The series that an expression reads, without functions, operators, grouping labels and durations. */
export function selectorsIn(expr: string): Selector[] {
  // Strings may contain anything, including parentheses and names, so numbers replace them.
  const strings: string[] = [];
  const bare = expr
    .replaceAll(/"(?:[^"\\]|\\.)*"/g, (text) => `"${strings.push(text) - 1}"`)
    .replaceAll(/\b(?:by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)/g, ' ')
    .replaceAll(/\[[^\]]*\]/g, ' ')
    .replaceAll(/\boffset\s+\w+/g, ' ');
  const found = bare.matchAll(/(?<![\w:."])([a-zA-Z_:][\w:]*)(?:\s*(\{[^}]*\}|\())?/g);
  return [...found]
    .filter(([, name = '', next]) => next !== '(' && !/^(?:and|or|unless|bool)$/i.test(name))
    .map(([, metric = '', labels = '']) => ({
      metric,
      text: metric + labels.replaceAll(/"(\d+)"/g, (_, index) => strings[index] ?? ''),
    }));
}

export interface Series {
  metric: Record<string, string>;
  value: [time: number, value: string];
}

interface ActiveAlert {
  labels: Record<string, string>;
  state: 'pending' | 'firing';
}

interface Target {
  labels: Record<string, string>;
  scrapeUrl: string;
  health: string;
  lastError: string;
}

/** A client of Prometheus' HTTP API. */
export function prometheusAt(url: string) {
  const get = async <T>(where: string): Promise<T> => {
    const response = await fetch(`${url}/api/v1${where}`, { signal: AbortSignal.timeout(60_000) });
    const { data, error } = (await response.json()) as { data: T; error?: string };
    if (!response.ok) throw new Error(`${where}: ${error}`);
    return data;
  };
  return {
    query: async (expr: string) => (await get<{ result: Series[] }>(`/query?query=${encodeURIComponent(expr)}`)).result,
    targets: async () => (await get<{ activeTargets: Target[] }>('/targets?state=active')).activeTargets,
    alerts: async () => (await get<{ alerts: ActiveAlert[] }>('/alerts')).alerts,
    ruleHealth: async () =>
      (
        await get<{ groups: { rules: { name: string; health: string; lastError?: string }[] }[] }>('/rules')
      ).groups.flatMap(({ rules }) => rules),
  };
}
