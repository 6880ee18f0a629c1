import type { ExpectedError } from './wrong-fields';

export interface FieldError {
  in: string;
  path: string;
  code: string;
  message: string;
}

/** A message continues a sentence that begins with the field, or is a complete sentence. */
const PLAIN = /^(must |is required|is not a known |has |a JSON body is required|[A-Z].*\.$)/;
/** Messages of the validation library, which must not appear. */
const LIBRARY = /invalid|expected|received|too (big|small):|unrecognized|zod|undefined|NaN|\[object/i;

/** Problems of the field errors themselves, regardless of the request. */
export function problemsOfFieldErrors(errors: FieldError[]): string[] {
  if (errors.length === 0) return ['a 400 without field errors'];
  const seen = errors.map(({ in: place, path, code }) => `${place} ${path} ${code}`);
  return [
    ...errors
      .filter(
        ({ code, message }) =>
          !PLAIN.test(message) || LIBRARY.test(message) || / required/.test(message) !== (code === 'required'),
      )
      .map(({ path, code, message }) => `"${path}" (${code}): "${message}"`),
    ...(new Set(seen).size === seen.length ? [] : [`an error twice: ${seen.join(', ')}`]),
  ];
}

/** Whether a request with one mistake got exactly the expected error. */
export function isExactly(errors: FieldError[], expected: ExpectedError): boolean {
  const [error] = errors;
  return (
    error !== undefined &&
    errors.length === 1 &&
    error.in === expected.in &&
    error.path === expected.path &&
    error.code === expected.code &&
    expected.message.test(error.message)
  );
}
