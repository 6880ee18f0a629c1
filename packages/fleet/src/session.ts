import type { Settings } from './env';
import type { ServerEvents } from './server';
import type { StateEntry } from './state';

/** One run of `up`, as those who start something for it see it. */
export interface Session {
  readonly settings: Settings;
  log(line: string): void;
  /** Remembers what has to be undone, last first. Throws when the run is being stopped already. */
  onStop(stop: () => Promise<unknown>): void;
  /** Writes something down for `status`, and for `stop` should this process be killed. */
  record(entry: StateEntry): void;
  /** For the servers that are started: writes them down and reports their death. */
  readonly events: ServerEvents;
}
