import {
  describeExit,
  type Env,
  monitorNames,
  OperatorError,
  processIdentity,
  type Server,
  type ServerEvents,
  type Settings,
  serviceNames,
  stillRuns,
  tail,
} from '@shop/test-servers';
import { accessLog } from '../dev-paths';
import type { Session } from '../session';
import { claimState, type FleetState, readState, removeState, type StateEntry, writeState } from '../state';
import { stopLeftovers } from './leftovers';

/** The only run of `up` in this clone: what it has started, how to stop it, and the state file for other commands. */
export class Run implements Session {
  readonly reservedPorts = new Set<number>();
  readonly #undo: (() => Promise<unknown>)[] = [];
  #stopping: Promise<void> | undefined;

  private constructor(
    readonly settings: Settings,
    readonly state: FleetState,
  ) {}

  /** Claims the clone for this process. Throws if another one is running. Cleans up after one that was killed. */
  static async begin(settings: Settings): Promise<Run> {
    const pid = process.pid;
    const state: FleetState = {
      pid,
      identity: processIdentity(pid),
      startedAt: new Date().toISOString(),
      entries: [],
    };
    while (!claimState(state)) {
      const other = readState();
      if (other && stillRuns(other)) {
        throw new OperatorError(
          `already running, pid ${other.pid}, since ${other.startedAt}: see ./run-services.sh status, or stop it with ./run-services.sh stop`,
        );
      }
      if (other) await stopLeftovers(other, console.log);
      removeState();
    }
    return new Run(settings, state);
  }

  get isStopping(): boolean {
    return this.#stopping !== undefined;
  }

  readonly log = (line: string): void => {
    if (!this.isStopping) console.log(line);
  };

  onStop(stop: () => Promise<unknown>): void {
    if (this.isStopping) throw new OperatorError('interrupted');
    this.#undo.push(stop);
  }

  record(entry: StateEntry): void {
    const same = (one: StateEntry) =>
      one.kind === entry.kind && (!manyOfAKind.has(one.kind) || one.name === entry.name);
    const index = this.state.entries.findIndex(same);
    if (index < 0) this.state.entries.push(entry);
    else this.state.entries[index] = entry;
    this.save();
  }

  forget(kind: StateEntry['kind']): void {
    this.state.entries = this.state.entries.filter((entry) => entry.kind !== kind);
    this.save();
  }

  readonly events: ServerEvents = {
    onSpawn: (server, pid) => {
      const { name, host, port, logFile } = server;
      const kind = kindOf(server);
      const log = kind === 'nginx' ? accessLog : logFile;
      this.record({ name, kind, host, port, origin: 'ours', pid, identity: processIdentity(pid), log });
    },
    onDeath: (server, exit) => {
      if (this.isStopping) return;
      console.error(`\n${server.name} (port ${server.port}) died, ${describeExit(exit)}; the rest keeps running.`);
      console.error(`The end of its log, ${server.logFile}:\n${tail(server.logFile, 10).replace(/^/gm, '  ')}`);
    },
  };

  ready(gatewayPort: number): void {
    this.state.gatewayPort = gatewayPort;
    const order: StateEntry['kind'][] = ['database', 'redis', 'service', 'nginx', 'monitoring'];
    this.state.entries.sort((a, b) => order.indexOf(a.kind) - order.indexOf(b.kind) || a.port - b.port);
    this.save();
  }

  usesDatabase(database: Env): void {
    this.state.database = database;
    this.save();
  }

  save(): void {
    writeState(this.state);
  }

  /** Stops everything in reverse order, once. Further calls wait for the same result. */
  stop(): Promise<void> {
    this.#stopping ??= this.#undoAll();
    return this.#stopping;
  }

  async #undoAll(): Promise<void> {
    for (const undo of this.#undo.reverse()) {
      await undo().catch((error: unknown) => console.error(error));
    }
    removeState();
  }

  /** Exits at once; processes are killed. Containers keep running, and the state file stays for `stop`. */
  abandon(): never {
    if (!this.state.entries.some((entry) => entry.origin === 'docker')) removeState();
    process.exit(130);
  }
}

const manyOfAKind = new Set<StateEntry['kind']>(['service', 'monitoring']);

function kindOf({ name }: Server): StateEntry['kind'] {
  if (name === 'nginx' || name === 'redis') return name;
  if (monitorNames.some((monitor) => name === monitor)) return 'monitoring';
  return serviceNames.some((service) => name === service || name.startsWith(`${service}-`)) ? 'service' : 'database';
}
