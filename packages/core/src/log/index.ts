export { createLogger, type Logger } from './logger';
export { withRequestId } from './request-id';
