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
export * from './readiness-errors';
