import type { ServerEvents, Settings } from '@shop/test-servers';
import type { StateEntry } from './state';

/** One run of `up`, as seen by the code that starts servers for it. */
export interface Session {
  readonly settings: Settings;
  log(line: string): void;
  /** Ports that this run uses or will use. */
  readonly reservedPorts: Set<number>;
  /** Registers a stop function; they run in reverse order. Throws if the run is already stopping. */
  onStop(stop: () => Promise<unknown>): void;
  /** Saves an entry for `status`, and for `stop` in case this process is killed. */
  record(entry: StateEntry): void;
  /** Callbacks for started servers: records them and reports unexpected exits. */
  readonly events: ServerEvents;
}
