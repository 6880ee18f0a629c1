import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseEnv } from 'node:util';
import { z } from 'zod';
import { addressList } from './addresses';
import { tlsSetting } from './tls';

/** The process cannot start. Lists everything that is wrong with the settings, one line each. */
export class ConfigError extends Error {
  constructor(readonly problems: string[]) {
    super(`Cannot start, the settings are wrong:\n${problems.map((problem) => `  - ${problem}`).join('\n')}`);
    this.name = 'ConfigError';
  }
}

export type Env = Record<string, string | undefined>;

/**
 * Returns the settings as plain strings. The process environment overrides the env file (ENV_FILE, or `.env.$APP_ENV` in the
 * working directory if it exists). This is the only place that reads `process.env`.
 */
export function readEnv(processEnv: Env = process.env, cwd: string = process.cwd()): Env {
  const named = processEnv.ENV_FILE;
  const file = resolve(cwd, named || `.env.${processEnv.APP_ENV || 'local'}`);
  const fromFile = Object.entries(readEnvFile(file, Boolean(named)));
  // X_FILE takes precedence over X, but an X_FILE in the env file must not override an X of the process environment.
  const kept = fromFile.filter(([key]) => !key.endsWith('_FILE') || !processEnv[key.slice(0, -'_FILE'.length)]);
  return { ...Object.fromEntries(kept), ...processEnv };
}

function readEnvFile(file: string, required: boolean): Env {
  let text: string;
  let env: Env;
  try {
    text = readFileSync(file, 'utf8');
    if (text.includes('\0')) throw new Error('it contains a NUL');
    env = parseEnv(text);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'ENOENT' && !required) return {};
    throw new ConfigError([`the env file ${file} cannot be read (${code ?? 'not a text file'})`]);
  }
  const problems = skippedLines(text, file);
  if (problems.length > 0) throw new ConfigError(problems);
  return env;
}

/** Returns a problem for each line of an env file that `parseEnv` would silently skip. */
export function skippedLines(text: string, file: string): string[] {
  // A quoted value may span several lines. Keep its line breaks, so that later line numbers stay right.
  const flat = text.replace(/^([^\n#=]*=[^\S\n]*)(["'`])([\s\S]*?)\2/gm, (_, name: string, _quote, value: string) =>
    name.concat(value.replace(/[^\n]+/g, '=')),
  );
  return flat.split('\n').flatMap((line, index) => {
    const content = line.trim();
    if (content === '' || content.startsWith('#') || content.includes('=')) return [];
    // Show only what looks like a variable name: the rest may be a secret.
    const [name] = /^[A-Z][A-Z0-9_]{0,60}(?!\S)/.exec(content) ?? [];
    return [`${file}, line ${index + 1}${name ? ` (${name})` : ''}: there is no "="`];
  });
}

/** `X_FILE` names a file that contains X (Docker and Kubernetes secrets). An empty value counts as not set. */
function resolveValue(env: Env, key: string, problems: string[]): string | undefined {
  const file = env[`${key}_FILE`];
  if (!file) return env[key] === '' ? undefined : env[key];
  try {
    return readFileSync(file, 'utf8').trim() || undefined;
  } catch (error) {
    const problem = `${key}_FILE: ${file} cannot be read (${(error as NodeJS.ErrnoException).code})`;
    // Two schemas may read the same variable.
    if (!problems.includes(problem)) problems.push(problem);
    return undefined;
  }
}

/**
 * A password that may be replaced while the process runs. If `X_FILE` names a file, each call reads it again, so that new
 * connections use the new password. While the file is missing or empty, its last content counts.
 */
export function secretOf(env: Env, key: string): () => string | undefined {
  const file = env[`${key}_FILE`];
  let last = env[key] || undefined;
  return function readSecret() {
    if (file) last = resolveValue(env, key, []) ?? last;
    return last;
  };
}

/**
 * Parses `env` with a schema whose keys are variable names. Adds errors to `problems` instead of throwing, so that one
 * failed start names every bad variable.
 */
export function parseSettings<T extends z.ZodObject>(schema: T, env: Env, problems: string[]): z.output<T> | undefined {
  const problemsBefore = problems.length;
  const values = Object.fromEntries(Object.keys(schema.shape).map((key) => [key, resolveValue(env, key, problems)]));
  const parsed = schema.safeParse(values);
  if (parsed.success) return problems.length === problemsBefore ? parsed.data : undefined;
  for (const issue of parsed.error.issues) {
    const key = issue.path.join('.');
    if (problems.some((problem) => problem.startsWith(`${key}_FILE:`))) continue;
    const missing = values[key] === undefined && issue.message.startsWith('Invalid input');
    problems.push(`${key}: ${missing ? 'is required' : issue.message}`);
  }
  return undefined;
}

/** A whole number. The upper bound catches typos, and values that would overflow a timer or a counter. */
function integer(min: number, max: number) {
  const error = `must be a whole number from ${min} to ${max}`;
  return z
    .string()
    .regex(/^\d+$/, { error, abort: true })
    .transform(Number)
    .refine((value) => value >= min && value <= max, error);
}

/** Building blocks for settings: strings in, typed values out. */
export const setting = {
  port: integer(1, 65_535),
  integer,
  list: z.string().transform((value) =>
    value
      .split(',')
      .map((item) => item.trim())
      .filter(Boolean),
  ),
  flag: z.enum(['true', 'false']).transform((value) => value === 'true'),
  addressList,
  tls: tlsSetting,
};
