import type { z } from 'zod';
import type { FieldError } from '../errors';
import { invalidRequest } from '../errors';
import { parseOptions, type RequestPart, toFieldErrors } from './field-errors';

/** Collects what is wrong with all parts of a request, so that one response names every wrong field. */
export class Validation {
  private readonly errors: FieldError[];

  /** @param errors what is known to be wrong already */
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

  /** @throws AppError `invalid_request` when any part was wrong */
  finish(): void {
    if (this.errors.length > 0) throw invalidRequest({ errors: this.errors.slice(0, MAX_ERRORS) });
  }
}

/** A body of 100 KB can be wrong in thousands of places. */
const MAX_ERRORS = 100;

/** An empty query parameter counts as absent. */
export function withoutEmpty(query: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(query).filter(([, value]) => value !== ''));
}
