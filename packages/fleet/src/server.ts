import { withTimeout } from '@shop/core/time';
import { FleetError } from './errors';
import { portIsFree, takenBy } from './ports';
import { describeExit, type Exit, type ManagedProcess, type ProcessOptions, spawnProcess } from './processes';
import { until } from './wait';

/** A server process that can be stopped, killed, frozen and started again on the same address and data. */
export interface Server {
  readonly name: string;
  readonly host: string;
  readonly port: number;
  readonly logFile: string;
  /** Undefined while it does not run. */
  readonly pid: number | undefined;
  isRunning(): boolean;
  /** Resolves when it serves. Does nothing when it runs. */
  start(): Promise<void>;
  /** Asks it to stop, and kills it when it does not within its grace. Resolves when it is gone. */
  stop(): Promise<Exit | undefined>;
  /** kill -9. Resolves when it is gone. */
  kill(): Promise<void>;
  /** Freezes it (SIGSTOP): connections are accepted by the kernel and nobody answers. */
  pause(): void;
  resume(): void;
}

/** What whoever starts servers may want to be told about them. */
export interface ServerEvents {
  /** Just spawned, not ready yet. */
  onSpawn?: ((server: Server, pid: number) => void) | undefined;
  /** It went without having been asked to. */
  onDeath?: ((server: Server, exit: Exit) => void) | undefined;
}

export interface ServerSpec extends ServerEvents {
  name: string;
  host: string;
  port: number;
  logFile: string;
  /** Called before each start; prepares what it needs and says what to run. */
  launch: () => Promise<Omit<ProcessOptions, 'name' | 'logFile'>>;
  /** Whether it serves now. Asked again and again while starting. */
  ready: () => Promise<boolean>;
  readyTimeoutMs?: number | undefined;
  stopSignal?: NodeJS.Signals;
  /** How long after stopSignal it is killed. */
  stopGraceMs?: number;
}

/** A server that did not come up, with what it wrote since it was started. */
export class StartError extends FleetError {
  constructor(
    message: string,
    readonly output: string,
  ) {
    super(message);
  }
}

/** Makes a Server of a way to launch it and a way to see that it serves; it is not started yet. */
export function server(spec: ServerSpec): Server {
  let current: ManagedProcess | undefined;
  let goodbye = false;
  let wanted = false;

  const isRunning = () => current !== undefined && current.exit === undefined;

  const start = async () => {
    if (isRunning()) return;
    wanted = true;
    // Otherwise whoever has the port would answer our question whether we are ready.
    if (!(await portIsFree(spec.port))) {
      throw new FleetError(`${spec.name} cannot start: port ${spec.port} is taken${await takenBy(spec.port)}`);
    }
    const launch = await spec.launch();
    if (!wanted) throw new FleetError(`${spec.name} was stopped while it was starting`);
    const child = await spawnProcess({ ...launch, name: spec.name, logFile: spec.logFile });
    current = child;
    goodbye = false;
    let serves = false;
    void child.exited.then((exit) => {
      if (serves && !goodbye) spec.onDeath?.(self, exit);
    });
    spec.onSpawn?.(self, child.pid);
    try {
      await until(async () => child.exit !== undefined || (await spec.ready()), {
        timeoutMs: spec.readyTimeoutMs ?? 120_000,
        what: `${spec.name} (port ${spec.port}) to be ready`,
      });
    } catch (error) {
      await kill();
      throw withLog(error, child);
    }
    if (child.exit) {
      if (goodbye) throw new FleetError(`${spec.name} was stopped while it was starting`);
      throw withLog(new FleetError(`${spec.name} stopped while starting, ${describeExit(child.exit)}`), child);
    }
    serves = true;
  };

  const withLog = (error: unknown, child: ManagedProcess): unknown => {
    if (!(error instanceof FleetError)) return error;
    const message = `${error.message}. The end of ${spec.logFile}:\n${indent(child.lastWords())}`;
    return new StartError(message, child.lastWords(1000));
  };

  const stop = async () => {
    wanted = false;
    const child = current;
    if (!child || child.exit) return child?.exit;
    goodbye = true;
    child.signal(spec.stopSignal ?? 'SIGTERM');
    child.signalGroup('SIGCONT'); // a frozen process would never see it
    const exit = await withTimeout(child.exited, spec.stopGraceMs ?? 15_000, () => undefined);
    if (!exit) child.signalGroup('SIGKILL');
    return child.exited;
  };

  const kill = async () => {
    wanted = false;
    goodbye = true;
    current?.signalGroup('SIGKILL');
    await current?.exited;
  };

  const self: Server = {
    name: spec.name,
    host: spec.host,
    port: spec.port,
    logFile: spec.logFile,
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
