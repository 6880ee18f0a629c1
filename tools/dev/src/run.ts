import { mkdir, rm, writeFile } from 'node:fs/promises';
import { describeExit, type Exit, messageOf, OperatorError, type Server, tail, takeLock } from '@shop/test-servers';
import type { Settings } from './settings';
import { type Entry, lockFile, logDir, pidFile, runDir, runningState, type State } from './state';

type Task = () => Promise<unknown>;

/** The only run of `up` in this clone: what it has started, and how to stop it. */
export class Run {
  readonly state: State = { pid: process.pid, startedAt: new Date().toISOString(), entries: [] };
  /** Set once it stops. */
  stopping: Promise<void> | undefined;
  readonly #stops: Task[] = [];

  constructor(readonly settings: Settings) {}

  /** Throws if another run has the lock. */
  async begin(): Promise<void> {
    // On a read-only file system Node's message says "no such file".
    await mkdir(runDir, { recursive: true }).catch((error: unknown) => {
      throw new OperatorError(`${runDir} cannot be created (read-only, or another user's?): ${messageOf(error)}`);
    });
    if (!(await takeLock(lockFile, () => JSON.stringify(this.state)))) {
      const hint = 'see ./run-services.sh status, or stop it with ./run-services.sh stop';
      throw new OperatorError(`already running, pid ${(await runningState())?.pid}: ${hint}`);
    }
    await writeFile(pidFile, String(process.pid));
    await rm(logDir, { recursive: true, force: true });
  }

  /** Options of every server that this process starts. */
  readonly serverOptions = {
    dieWithParent: true,
    onDeath: (server: Server, exit: Exit): void => {
      if (this.stopping) return;
      console.error(`\n${server.name} (port ${server.port}) died, ${describeExit(exit)}; the rest keeps running.`);
      console.error(`The end of its log, ${server.logFile}:\n${tail(server.logFile, 10).replace(/^/gm, '  ')}`);
    },
  };

  /** Starts `servers` with `all.start`, and `stop` will stop them. Throws if it was called. */
  async start(all: { start: Task; stop: Task }, servers: readonly Server[], change?: Partial<Entry>): Promise<void> {
    if (!this.stopping) {
      this.#stops.push(all.stop);
      await all.start();
      this.state.entries.push(...servers.map((server) => entryOf(server, change)));
    }
    if (this.stopping) throw new OperatorError('interrupted');
  }

  has(name: string): boolean {
    return this.state.entries.some((entry) => entry.name === name);
  }

  /** Stops everything in reverse order, once. Further calls wait for the same result. */
  stop(): Promise<void> {
    this.stopping ??= this.#stopAll();
    return this.stopping;
  }

  async #stopAll(): Promise<void> {
    for (const stop of this.#stops.reverse()) await stop().catch((error: unknown) => console.error(error));
  }
}

const entryOf = (server: Server, change?: Partial<Entry>): Entry => ({
  name: server.name,
  host: server.host,
  port: server.port,
  origin: 'started by us',
  log: server.logFile,
  healthUrl: server.healthUrl,
  // It changes when the server is started or dies.
  get pid() {
    return server.pid;
  },
  ...change,
});
