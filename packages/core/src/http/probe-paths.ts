/** Asked every few seconds by machines: logged at debug only, not traced, not limited. */
export const PROBES = new Set(['/health', '/ready', '/metrics']);
