export { parseBlock } from './address-block';
export type { Address } from './addresses';
export { ConfigError, type Env, parseSettings, readEnv, secretOf, setting, skippedLines } from './load-env';
export type { TlsConfig } from './tls';
