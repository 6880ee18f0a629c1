import { readFileSync } from 'node:fs';
import { basename, relative } from 'node:path';
import { OperatorError } from '@shop/test-servers';

const TIMEOUT_MS = 60_000;

/** One request of the journey and its expected status. */
export interface Step {
  title: string;
  method: 'GET' | 'POST' | 'PUT' | 'PATCH';
  path: string;
  token?: string;
  idempotencyKey?: string;
  json?: Record<string, unknown>;
  /** A file and its form field, sent as multipart/form-data. */
  file?: { field: string; path: string };
  expect: number;
}

export type ResponseBody = Record<string, unknown>;

/** An error with the failed step, its request and the reason. */
export const failed = (step: Step, reason: string): OperatorError =>
  new OperatorError(`${step.title} failed: ${step.method} ${step.path}: ${reason}`);

/** @returns the status, and the text of a JSON body or a description of any other body */
export async function send(baseUrl: string, step: Step): Promise<{ status: number; text: string }> {
  const headers: Record<string, string> = step.token ? { Authorization: `Bearer ${step.token}` } : {};
  if (step.idempotencyKey) headers['Idempotency-Key'] = step.idempotencyKey;
  if (step.json) headers['Content-Type'] = 'application/json';
  const body = step.json ? JSON.stringify(step.json) : step.file ? formOf(step.file) : null;
  try {
    const response = await fetch(new URL(step.path, baseUrl), {
      method: step.method,
      headers,
      body,
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    const bytes = new Uint8Array(await response.arrayBuffer());
    const type = response.headers.get('content-type') ?? '';
    const text = type.includes('json')
      ? new TextDecoder().decode(bytes)
      : bytes.length > 0
        ? `(${bytes.length} bytes of ${type})`
        : '';
    return { status: response.status, text };
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause.message : String(error);
    throw failed(step, `no response from ${baseUrl} (${cause}). Is ./run-services.sh running?`);
  }
}

function formOf({ field, path }: NonNullable<Step['file']>): FormData {
  const data = new FormData();
  data.set(field, new Blob([readFileSync(path)]), basename(path));
  return data;
}

const quote = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;

/** The step as a curl command. */
export function curlOf(baseUrl: string, { method, path, token, idempotencyKey, json, file }: Step): string {
  const parts = ['curl'];
  if (method === 'PUT' || method === 'PATCH' || (method === 'POST' && !json && !file)) parts.push(`-X ${method}`);
  parts.push(quote(new URL(path, baseUrl).href));
  if (token) parts.push(`-H ${quote(`Authorization: Bearer ${token}`)}`);
  if (idempotencyKey) parts.push(`-H ${quote(`Idempotency-Key: ${idempotencyKey}`)}`);
  if (json) parts.push(`-H 'Content-Type: application/json' -d ${quote(JSON.stringify(json))}`);
  if (file) parts.push(`-F ${quote(`${file.field}=@${relative(process.cwd(), file.path)}`)}`);
  return parts.join(' ');
}
