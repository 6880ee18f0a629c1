import type { ErrorDefinition } from './app-error';
import * as common from './common-errors';
import * as readiness from './readiness-errors';

export {
  AppError,
  defineError,
  type ErrorDefinition,
  type ErrorKind,
  errorCode,
  type FieldError,
  type FieldErrorCode,
  fieldErrorCodes,
} from './app-error';
export * from './common-errors';
export { invalidCursor } from './invalid-cursor';
export * from './readiness-errors';

/** Every error of core. Some of them come from the gateway or from probes, so no endpoint lists them. */
export const coreErrors: readonly ErrorDefinition[] = [...Object.values(common), ...Object.values(readiness)];
