/** Requested every few seconds by machines: logged only at debug level, not traced, not rate-limited. */
export const PROBES = new Set(['/health', '/ready', '/metrics']);
