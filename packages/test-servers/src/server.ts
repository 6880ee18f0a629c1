import { withTimeout } from '@shop/core/time';
import { OperatorError } from './errors';
import { portIsFree, takenBy } from './ports';
import { describeExit, type Exit, type ManagedProcess, type ProcessOptions, spawnProcess } from './processes';
import { httpStatus, until } from './wait';

/** A server process that can be stopped, killed, frozen and restarted with the same address and data. */
export interface Server {
  readonly name: string;
  readonly host: string;
  readonly port: number;
  readonly logFile: string;
  /** Responds with 200 when it is healthy. */
  readonly healthUrl: string | undefined;
  /** Undefined while it is not running. */
  readonly pid: number | undefined;
  isRunning(): boolean;
  /** Resolves when it is ready. Does nothing if it is running. */
  start(): Promise<void>;
  /** Asks it to stop, and kills it after its grace period. Resolves when it has exited. */
  stop(): Promise<Exit | undefined>;
  /** kill -9. Resolves when it has exited. */
  kill(): Promise<void>;
  /** Freezes it (SIGSTOP): the kernel still accepts connections, but nothing responds. */
  pause(): void;
  resume(): void;
}

export interface ServerEvents {
  /** The process exited unexpectedly. */
  onDeath?: ((server: Server, exit: Exit) => void) | undefined;
}

export interface ServerSpec extends ServerEvents {
  name: string;
  host: string;
  port: number;
  logFile: string;
  /** Called before each start. Prepares files and returns the command. */
  launch: () => Promise<Omit<ProcessOptions, 'name' | 'logFile'>>;
  healthUrl?: string;
  /** Whether it is ready. Polled while starting. Default: its healthUrl responds with 200. */
  ready?: () => Promise<boolean>;
  readyTimeoutMs?: number | undefined;
  stopSignal?: NodeJS.Signals;
  /** Time from stopSignal until it is killed. */
  stopGraceMs?: number;
}

/** A server did not start. `output` is what it has written since. */
export class StartError extends OperatorError {
  constructor(
    message: string,
    readonly output: string,
  ) {
    super(message);
  }
}

/** Creates a Server from a launch function and a readiness check. It is not started yet. */
export function server(spec: ServerSpec): Server {
  let current: ManagedProcess | undefined;
  let stopRequested = false;
  let wanted = false;

  const ready = spec.ready ?? (async () => (await httpStatus(spec.healthUrl ?? '')) === 200);
  const isRunning = () => current !== undefined && current.exit === undefined;

  const start = async () => {
    if (isRunning()) return;
    wanted = true;
    // Otherwise the process that uses the port would respond to our readiness check.
    if (!(await portIsFree(spec.port))) {
      throw new OperatorError(`${spec.name} cannot start: port ${spec.port} is taken${await takenBy(spec.port)}`);
    }
    const launch = await spec.launch();
    if (!wanted) throw new OperatorError(`${spec.name} was stopped while it was starting`);
    const child = await spawnProcess({ ...launch, name: spec.name, logFile: spec.logFile });
    current = child;
    stopRequested = false;
    let serves = false;
    void child.exited.then((exit) => {
      if (serves && !stopRequested) spec.onDeath?.(self, exit);
    });
    try {
      await until(async () => child.exit !== undefined || (await ready()), {
        timeoutMs: spec.readyTimeoutMs ?? 120_000,
        what: `${spec.name} (port ${spec.port}) to be ready`,
      });
    } catch (error) {
      await stop();
      throw withLog(error, child);
    }
    if (child.exit) {
      if (stopRequested) throw new OperatorError(`${spec.name} was stopped while it was starting`);
      throw withLog(new OperatorError(`${spec.name} stopped while starting, ${describeExit(child.exit)}`), child);
    }
    serves = true;
  };

  const withLog = (error: unknown, child: ManagedProcess): unknown => {
    if (!(error instanceof OperatorError)) return error;
    const message = `${error.message}. The end of ${spec.logFile}:\n${indent(child.lastLogLines())}`;
    return new StartError(message, child.lastLogLines(1000));
  };

  const stop = async () => {
    wanted = false;
    const child = current;
    if (!child || child.exit) return child?.exit;
    stopRequested = true;
    child.signal(spec.stopSignal ?? 'SIGTERM');
    child.signalGroup('SIGCONT'); // a frozen process would not receive the signal
    const exit = await withTimeout(child.exited, spec.stopGraceMs ?? 15_000, () => undefined);
    if (!exit) child.signalGroup('SIGKILL');
    return child.exited;
  };

  const kill = async () => {
    wanted = false;
    stopRequested = true;
    current?.signalGroup('SIGKILL');
    await current?.exited;
  };

  const self: Server = {
    name: spec.name,
    host: spec.host,
    port: spec.port,
    logFile: spec.logFile,
    healthUrl: spec.healthUrl,
    get pid() {
      return isRunning() ? current?.pid : undefined;
    },
    isRunning,
    start,
    stop,
    kill,
    pause: () => current?.signalGroup('SIGSTOP'),
    resume: () => current?.signalGroup('SIGCONT'),
  };
  return self;
}

const indent = (text: string): string => (text === '' ? '  (empty)' : text.replace(/^/gm, '  '));
