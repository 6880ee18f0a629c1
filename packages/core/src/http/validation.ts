import type { z } from 'zod';
import type { FieldError } from '../errors/app-error';
import { invalidRequest } from '../errors/common-errors';

export type Source = FieldError['in'];

/** Collects what is wrong with all parts of a request, so that the client hears of every wrong field at once. */
export class Validation {
  private readonly errors: FieldError[];

  /** @param errors what is known to be wrong already */
  constructor(errors: readonly FieldError[] = []) {
    this.errors = [...errors];
  }

  parse(source: Source, schema: z.ZodType | undefined, value: unknown): unknown {
    if (!schema) return undefined;
    const parsed = schema.safeParse(value);
    if (parsed.success) return parsed.data;
    this.errors.push(...parsed.error.issues.flatMap((issue) => fieldErrors(source, issue)));
    return undefined;
  }

  add(error: FieldError): void {
    this.errors.push(error);
  }

  /** @throws AppError `invalid_request` when any part was wrong */
  finish(): void {
    if (this.errors.length > 0) throw invalidRequest({ errors: this.errors.slice(0, MAX_ERRORS) });
  }
}

/** A body of 100 KB can be wrong in thousands of places. */
const MAX_ERRORS = 100;

function fieldErrors(source: Source, issue: z.core.$ZodIssue): FieldError[] {
  const path = issue.path.map(String);
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({ in: source, path: [...path, key].join('.'), message: 'is not a known field' }));
  }
  const missing = issue.code === 'invalid_type' && issue.input === undefined;
  return [{ in: source, path: path.join('.'), message: missing ? 'is required' : issue.message }];
}

/** An empty query parameter counts as absent. */
export function withoutEmpty(query: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(query).filter(([, value]) => value !== ''));
}
