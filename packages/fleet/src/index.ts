export { findBinary, findProgram, installPrograms, type Program, requireProgram } from './binaries';
export { applySql, type DatabaseProbe, type DatabaseSettings, probeDatabase, withConnection } from './database';
export { type Env, readEnvFile, readSettings, type Settings, secret } from './env';
export { codeOf, FleetError, messageOf } from './errors';
export { createFleet, type Fleet, type FleetOptions, startFleet } from './fleet';
export { isExactly, problemsOfFieldErrors } from './fuzz/check-field-errors';
export { fuzz } from './fuzz/fuzz';
export { type OpenApi, operationsOf } from './fuzz/operations';
export { reportFuzz } from './fuzz/report';
export { encodeRequest, sendRequest } from './fuzz/request';
export { knownGrammar } from './fuzz/valid-values';
export { wrongRequests } from './fuzz/wrong-requests';
export { runJourney } from './journey';
export {
  createMonitoring,
  type Monitoring,
  type MonitoringOptions,
  type MonitorName,
  monitorNames,
} from './monitoring/monitoring';
export { renderPrometheusConfig } from './monitoring/prometheus-config';
export { type MysqlOptions, type MysqlServer, mysqlServer, startMysql } from './mysql-server';
export { type NginxServer, type NginxServerOptions, nginxServer, startNginx } from './nginx';
export { type NginxOptions, renderNginxConfig } from './nginx-config';
export { dataDir, logDir, repoRoot, runDir, stateFile } from './paths';
export { freePort, type PortState, portAnswers, portIsFree, portState, waitForPort } from './ports';
export { type PrivateFleet, privateFleet } from './private-fleet';
export { type Exit, type ManagedProcess, type ProcessOptions, spawnProcess, tail } from './processes';
export { type Check, checks } from './prove/checks';
export type { Evidence } from './prove/evidence';
export { planFaults } from './prove/faults';
export { proveOrders } from './prove/prove-orders';
export { random } from './prove/random';
export { report } from './prove/report';
export {
  probeRedis,
  type RedisOptions,
  type RedisProbe,
  type RedisServer,
  type RedisSettings,
  redisServer,
  startRedis,
} from './redis-server';
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
export { type FleetState, readState, type StateEntry, stillRuns } from './state';
export { temporaryFolder } from './temporary-folder';
export { httpStatus, type UntilOptions, until } from './wait';
