import type { ExpectedError } from './wrong-fields';

export interface FieldError {
  in: string;
  path: string;
  code: string;
  message: string;
}

/** A message is the end of a sentence that begins with the field, or a sentence of its own. */
const PLAIN = /^(must |is required|is not a known |has |a JSON body is required|[A-Z].*\.$)/;
/** The validation library's own wording. */
const LIBRARY = /invalid|expected|received|too (big|small):|unrecognized|zod|undefined|NaN|\[object/i;

/** What is wrong with the field errors themselves, whatever the request was. */
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

/** A request with one mistake gets exactly the one error that names it. */
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
