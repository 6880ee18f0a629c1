import Ajv2020, { type ValidateFunction } from 'ajv/dist/2020';
import { type FieldError, isExactly, problemsOfFieldErrors } from './check-field-errors';
import type { OpenApi, Operation } from './operations';
import type { HttpResponse } from './request';
import type { ExpectedError } from './wrong-fields';

/** The expected response to a request. */
export type Intent =
  | { kind: 'valid' }
  /** One mistake: a 400 with exactly this error, unless the caller is not allowed to do it anyway. */
  | { kind: 'wrong'; expected: ExpectedError }
  | { kind: 'malformed' };

/** Finds the differences between a response, its declaration in the document, and the expected response. */
export type CheckResponse = (operation: Operation, intent: Intent, response: HttpResponse) => string[];

/** Headers of HTTP itself, of browsers' security and of CORS, which say nothing about an operation. */
const GENERAL = new Set([
  ...['connection', 'content-length', 'content-type', 'date', 'keep-alive', 'server', 'transfer-encoding', 'vary'],
  ...['content-security-policy', 'origin-agent-cluster', 'referrer-policy', 'x-content-type-options'],
  ...[
    'x-dns-prefetch-control',
    'x-download-options',
    'x-frame-options',
    'x-permitted-cross-domain-policies',
    'x-xss-protection',
  ],
]);

const isGeneral = (name: string): boolean => GENERAL.has(name) || /^(access-control|cross-origin)-/.test(name);

export function responseChecker(document: OpenApi): CheckResponse {
  const ajv = new Ajv2020({ strict: false, allErrors: true, validateFormats: false });
  ajv.addSchema(document, 'openapi');
  const validators = new Map<string, ValidateFunction>();
  const validatorOf = (at: string): ValidateFunction => {
    const validate = validators.get(at) ?? ajv.compile({ $ref: `openapi${at}` });
    validators.set(at, validate);
    return validate;
  };
  return (operation, intent, response) => {
    const { status } = response;
    if (status >= 500) return [`status ${status}: ${excerpt(response)}`];
    const declared = operation.responses.get(status);
    if (!declared) return [`status ${status} is not declared: ${excerpt(response)}`];
    const unknown = Object.keys(response.headers).filter(
      (name) => !isGeneral(name) && !declared.headers.includes(name),
    );
    if (unknown.length > 0) return [`status ${status} has headers that are not declared: ${unknown.join(', ')}`];
    const type = String(response.headers['content-type'] ?? '').replace(/;.*/, '');
    if (declared.types.length === 0) return response.body.length > 0 ? [`a body with ${status}`] : [];
    if (!declared.types.includes(type)) return [`status ${status} has the media type "${type}"`];
    if (!declared.schemaAt) return [];
    const body = parsed(response.body);
    if (body === undefined) return [`status ${status} has a body that is not JSON: ${excerpt(response)}`];
    const validate = validatorOf(declared.schemaAt);
    const found = validate(body)
      ? []
      : [`does not match its schema: ${ajv.errorsText(validate.errors)} in ${excerpt(response)}`];
    return [...found, ...problemsForIntent(operation, intent, status, body)];
  };
}

function problemsForIntent(operation: Operation, intent: Intent, status: number, body: unknown): string[] {
  const { code, errors = [] } = body as { code?: string; errors?: FieldError[] };
  const found = status === 400 ? problemsOfFieldErrors(errors) : [];
  if (intent.kind === 'valid' && code === 'invalid_request') {
    found.push(`a valid request was rejected: ${JSON.stringify(errors)}`);
  }
  const mayNot = status === 401 || status === 403;
  if (intent.kind === 'wrong' && !mayNot && !(status === 400 && isExactly(errors, intent.expected))) {
    const { in: place, path, code: expected, message } = intent.expected;
    found.push(`expected ${place} ${path} ${expected} ${message}, got ${status} ${JSON.stringify(errors)}`);
  }
  return found.map((problem) => `${operation.name}: ${problem}`);
}

const excerpt = ({ body }: HttpResponse): string => body.toString('utf8', 0, 300);

function parsed(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString());
  } catch {
    return undefined;
  }
}
