export { beforeDeadline, withTimeout } from './with-timeout';
