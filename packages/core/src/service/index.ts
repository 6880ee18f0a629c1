// Before zod is loaded.
import './only-english';
// Before anything that it instruments.
import '../tracing';

export { runCommand } from './command';
export { loadConfig, type ProductionRules } from './core-config';
export { deletionJob, type Job } from './jobs';
export { runService } from './run-service';
export { buildService, coreRights, type Resources, type RunningApp, type ServiceDefinition } from './service';
