export { parseBlock } from './address-block';
export { ConfigError, type Env, parseSettings, readEnv, setting, skippedLines } from './load-env';
