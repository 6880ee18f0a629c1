export { beforeDeadline } from './before-deadline';
