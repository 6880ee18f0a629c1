import type { z } from 'zod';
import type { FieldError } from '../errors';
import { invalidRequest } from '../errors';
import { parseOptions, type RequestPart, toFieldErrors } from './field-errors';

/** Collects the errors of all parts of a request, so that one response names every invalid field. */
export class Validation {
  private readonly errors: FieldError[];

  /** @param errors errors that are already known */
  constructor(errors: readonly FieldError[] = []) {
    this.errors = [...errors];
  }

  parse(part: RequestPart, schema: z.ZodType | undefined, value: unknown): unknown {
    if (!schema) return undefined;
    const parsed = schema.safeParse(value, parseOptions);
    if (parsed.success) return parsed.data;
    this.errors.push(...toFieldErrors(part, parsed.error.issues));
    return undefined;
  }

  add(error: FieldError): void {
    this.errors.push(error);
  }

  /** @throws AppError `invalid_request` if there are errors */
  finish(): void {
    if (this.errors.length > 0) throw invalidRequest({ errors: this.errors.slice(0, MAX_ERRORS) });
  }
}

/** A body of 100 KB can contain thousands of errors. */
const MAX_ERRORS = 100;

/** An empty query parameter counts as absent. */
export function withoutEmpty(query: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(query).filter(([, value]) => value !== ''));
}
