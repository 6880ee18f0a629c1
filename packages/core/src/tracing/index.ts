export { flushTraces, nameTraces, traceFields } from './tracing';
