import type { Settings } from './env';
import type { ServerEvents } from './server';
import type { StateEntry } from './state';

/** One run of `up`, as those who start something for it see it. */
export interface Session {
  readonly settings: Settings;
  log(line: string): void;
  /** Ports that something of this run has or will have: not to be handed out again. */
  readonly reservedPorts: Set<number>;
  /** Remembers what has to be undone, last first. Throws when the run is being stopped already. */
  onStop(stop: () => Promise<unknown>): void;
  /** Writes something down for `status`, and for `stop` should this process be killed. */
  record(entry: StateEntry): void;
  /** For the servers that are started: writes them down and reports their death. */
  readonly events: ServerEvents;
}
