export { findBinary, findProgram, installPrograms, type Program, requireProgram } from './binaries';
export { ask, isFinal, type Reply } from './client';
export {
  applySql,
  type DatabaseProbe,
  type DatabaseSettings,
  probeDatabase,
  type SqlStep,
  withConnection,
} from './database';
export { type Env, portNumber, positiveNumber, readEnvFile, readSettings, type Settings, secret } from './env';
export { codeOf, messageOf, OperatorError, operatorMessage, UsageError } from './errors';
export { createFleet, type Fleet, type FleetOptions, startFleet } from './fleet';
export {
  createMonitoring,
  type Monitoring,
  type MonitoringOptions,
  type MonitorName,
  monitorNames,
  monitorPorts,
} from './monitoring/monitoring';
export { renderPrometheusConfig } from './monitoring/prometheus-config';
export { type MysqlOptions, type MysqlServer, mysqlServer, startMysql } from './mysql-server';
export { type NginxServer, type NginxServerOptions, nginxServer, startNginx } from './nginx';
export { type NginxOptions, renderNginxConfig } from './nginx-config';
export { limitVariables } from './nginx-limits';
export { dataDir, displayPath, repoRoot } from './paths';
export {
  freePort,
  type PortState,
  portAnswers,
  portIsFree,
  portState,
  requirePort,
  takenBy,
  waitForPort,
} from './ports';
export { type PrivateFleet, privateFleet } from './private-fleet';
export { processIdentity, stillRuns } from './process-identity';
export {
  describeExit,
  type Exit,
  type ManagedProcess,
  type ProcessOptions,
  sendSignal,
  spawnProcess,
  tail,
} from './processes';
export { type Random, random } from './random';
export {
  probeRedis,
  type RedisOptions,
  type RedisProbe,
  type RedisServer,
  type RedisSettings,
  redisServer,
  startRedis,
} from './redis-server';
export { runMain } from './run-main';
export { type Server, type ServerEvents, type ServerSpec, server } from './server';
export {
  defaultPorts,
  portVariable,
  type ServiceName,
  type ServiceOptions,
  type ServiceServer,
  serviceNames,
  serviceServer,
} from './services';
export { table } from './table';
export { temporaryFolder } from './temporary-folder';
export { httpStatus, type UntilOptions, until } from './wait';
