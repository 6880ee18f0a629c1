import { mkdirSync } from 'node:fs';
import {
  describeExit,
  messageOf,
  OperatorError,
  type Server,
  type ServerEvents,
  tail,
  takeLock,
} from '@shop/test-servers';
import { stopLeftContainers } from './docker';
import type { Settings } from './settings';
import {
  containerEntries,
  type Entry,
  inOrder,
  lockFile,
  readState,
  removeState,
  runDir,
  runningPid,
  type State,
  writeState,
} from './state';

/** The only run of `up` in this clone: what it has started, how to stop it, and the state for other commands. */
export class Run {
  readonly state: State = { pid: process.pid, startedAt: new Date().toISOString(), entries: [] };
  readonly #stops: (() => Promise<unknown>)[] = [];
  #stopping: Promise<void> | undefined;

  constructor(readonly settings: Settings) {}

  /** Throws if another run has the lock. Stops the containers of one that was killed. */
  async begin(): Promise<void> {
    makeFolder(runDir);
    const isFirst = await takeLock(lockFile);
    const other = readState();
    if (!isFirst) {
      throw new OperatorError(
        `already running, pid ${(await runningPid()) || 'unknown'}${other ? `, since ${other.startedAt}` : ''}: see ./run-services.sh status, or stop it with ./run-services.sh stop`,
      );
    }
    // At once: `stop` takes the pid from it if this process freezes.
    writeState({ ...this.state, entries: containerEntries(other) });
    await stopLeftContainers(other);
    writeState(this.state);
  }

  get isLocal(): boolean {
    return this.settings.APP_ENV === 'local';
  }

  get isStopping(): boolean {
    return this.#stopping !== undefined;
  }

  readonly log = (line: string): void => {
    if (!this.isStopping) console.log(line);
  };

  readonly events: ServerEvents = {
    onDeath: (server, exit) => {
      if (this.isStopping) return;
      console.error(`\n${server.name} (port ${server.port}) died, ${describeExit(exit)}; the rest keeps running.`);
      console.error(`The end of its log, ${server.logFile}:\n${tail(server.logFile, 10).replace(/^/gm, '  ')}`);
      try {
        writeState(this.state);
      } catch (error) {
        console.error(`warning: ${messageOf(error)}; status shows what was before`);
      }
    },
  };

  /** Stop functions run in reverse order. Throws if the run is already stopping. */
  onStop(stop: () => Promise<unknown>): void {
    if (this.isStopping) throw new OperatorError('interrupted');
    this.#stops.push(stop);
  }

  entry(name: string): Entry | undefined {
    return this.state.entries.find((entry) => entry.name === name);
  }

  /** For `status`, and for `stop` in case this process is killed. Replaces an entry with the same name. */
  record(entry: Entry): void {
    this.forget(entry.name);
    this.state.entries = inOrder([...this.state.entries, entry]);
    writeState(this.state);
  }

  recordServer(server: Server, kind: Entry['kind'], change: Partial<Entry> = {}): void {
    const { name, host, port, logFile: log } = server;
    const entry: Entry = { name, kind, host, port, origin: 'ours', log, ...change };
    // A getter, because the state is saved again after the server has started or died.
    this.record(Object.defineProperty(entry, 'pid', { enumerable: true, get: () => server.pid }));
  }

  forget(name: string): void {
    this.state.entries = this.state.entries.filter((entry) => entry.name !== name);
  }

  /** Stops everything in reverse order, once. Further calls wait for the same result. */
  stop(): Promise<void> {
    this.#stopping ??= this.#stopAll();
    return this.#stopping;
  }

  async #stopAll(): Promise<void> {
    for (const stop of this.#stops.reverse()) await stop().catch((error: unknown) => console.error(error));
    removeState(process.pid);
  }
}

function makeFolder(folder: string): void {
  try {
    mkdirSync(folder, { recursive: true });
  } catch (error) {
    // On a read-only file system Node's message says "no such file".
    const hint = 'does it belong to another user, or is it read-only?';
    throw new OperatorError(`${folder} cannot be created (${hint}): ${messageOf(error)}`);
  }
}
