import { readFileSync } from 'node:fs';
import path from 'node:path';
import { parseEnv } from 'node:util';
import { messageOf, OperatorError } from './errors';
import { displayPath, repoRoot } from './paths';

export type Env = Record<string, string>;

/** The env file's variables, overridden by the process environment. */
export interface Settings {
  env: Env;
  file: string;
  /** Whether one of the variables is set in the process environment. */
  isExplicit(...names: string[]): boolean;
}

/** Reads ENV_FILE, or `.env.$APP_ENV` (local by default) in `root`. */
export function readSettings(processEnv: NodeJS.ProcessEnv = process.env, root = repoRoot): Settings {
  const given = processEnv.ENV_FILE;
  const file = given ? path.resolve(root, given) : path.join(root, `.env.${processEnv.APP_ENV || 'local'}`);
  const fromProcess: Env = {};
  for (const [name, value] of Object.entries(processEnv)) if (value !== undefined) fromProcess[name] = value;
  return {
    env: { ...readEnvFile(file), ...fromProcess },
    file,
    isExplicit: (...names) => names.some((name) => fromProcess[name] !== undefined && fromProcess[name] !== ''),
  };
}

export function readEnvFile(file: string): Env {
  try {
    const text = readFileSync(file, 'utf8');
    if (text.includes('\0')) throw new OperatorError('it is not a text file');
    const env: Env = {};
    for (const [name, value] of Object.entries(parseEnv(text))) env[name] = value ?? '';
    return env;
  } catch (error) {
    throw new OperatorError(`the env file ${displayPath(file)} cannot be read: ${messageOf(error)}`);
  }
}

/** The value of a secret: `NAME`, or the content of the file named in `NAME_FILE`. */
export function secret(env: Env, name: string): string {
  const file = env[`${name}_FILE`];
  if (!file) return env[name] ?? '';
  try {
    return readFileSync(path.resolve(repoRoot, file), 'utf8').trimEnd();
  } catch (error) {
    throw new OperatorError(`${name}_FILE cannot be read: ${messageOf(error)}`);
  }
}

/** A port number, or `fallback` if the variable is absent or empty. */
export function portNumber(env: Env, name: string, fallback: number): number {
  const text = env[name] || String(fallback);
  const port = Number(text);
  if (!/^\d+$/.test(text) || port < 1 || port > 65_535) {
    throw new OperatorError(`${name} must be a port number (1 to 65535), not "${text}"`);
  }
  return port;
}

/** A positive number, or `fallback` if the variable is absent or empty. */
export function positiveNumber(env: Env, name: string, fallback: number): number {
  const text = env[name] || String(fallback);
  const value = Number(text);
  if (!Number.isFinite(value) || value <= 0)
    throw new OperatorError(`${name} must be a number greater than 0, not "${text}"`);
  return value;
}
