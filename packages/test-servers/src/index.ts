export { findBinary, findProgram, installPrograms, type Program, requireProgram } from './binaries';
export { ask, type Reply } from './client';
export {
  applySql,
  createDatabase,
  type DatabaseSettings,
  type OwnDatabaseSettings,
  probeDatabase,
  withConnection,
} from './database';
export { codeOf, messageOf, OperatorError, operatorMessage, UsageError } from './errors';
export { createFleet, type Fleet, type FleetOptions } from './fleet';
export { isLocked, lockHolder, takeLock } from './lock';
export { renderAlertmanagerConfig } from './monitoring/alertmanager-config';
export {
  createMonitoring,
  type Monitoring,
  type MonitorName,
  monitorNames,
} from './monitoring/monitoring';
export { renderPrometheusConfig } from './monitoring/prometheus-config';
export { alertmanagerServer, blackboxExporter } from './monitoring/servers';
export { type MysqlServer, mysqlServer, startMysql } from './mysql-server';
export { startNginx } from './nginx';
export { type NginxOptions, renderNginxConfig } from './nginx-config';
export { limitVariables } from './nginx-limits';
export { dataDir, displayPath, repoRoot } from './paths';
export { freePort, nextFreePort, portAnswers, portIsFree, portState, requirePort, takenBy } from './ports';
export { type PrivateFleet, privateFleet } from './private-fleet';
export { describeExit, type Exit, sendSignal, spawnProcess, tail } from './processes';
export { type Random, random } from './random';
export { probeRedis, type RedisServer, type RedisSettings, redisServer, startRedis } from './redis-server';
export { runMain } from './run-main';
export { applySchema } from './schema';
export { type Server, server } from './server';
export {
  defaultPorts,
  forEachService,
  loginVariables,
  portVariable,
  type Release,
  replicaName,
  type ServiceName,
  type ServiceServer,
  serviceNames,
  serviceServer,
} from './services';
export { table } from './table';
export { temporaryFolder } from './temporary-folder';
export { httpStatus, until } from './wait';
