import { Agent, request } from 'node:http';

export interface LoadRequest {
  method: string;
  url: string;
  headers?: Record<string, string>;
  body?: string;
  /** The only accepted status. */
  expected: number;
}

export interface LoadResult {
  request: LoadRequest;
  /** undefined: the connection failed, or there was no response within a minute. */
  status: number | undefined;
  body: string;
  /** Seconds since the start. */
  at: number;
}

export interface PacedLoad {
  /** Stops sending. Resolves to all results when every response has arrived. */
  stop(): Promise<LoadResult[]>;
  /** The results so far. */
  readonly results: readonly LoadResult[];
  /** Seconds since the start, as in the results. */
  readonly seconds: number;
}

const TICK_MS = 5;
/** More concurrency would only measure how busy the machine is: an overloaded shop sheds load. */
const MAX_IN_FLIGHT = 20;

/** Sends `perSecond` requests per second, fewer if the machine cannot keep up. Never retries. */
export function pacedLoad(perSecond: number, next: (turn: number) => LoadRequest): PacedLoad {
  const agent = new Agent({ keepAlive: true });
  const results: LoadResult[] = [];
  const inFlight = new Set<Promise<void>>();
  const start = performance.now();
  const elapsed = () => (performance.now() - start) / 1000;
  let sent = 0;
  /** Requests that were due while too many were in flight. They are skipped, not sent in a burst later. */
  let skipped = 0;
  const timer = setInterval(() => {
    while (sent + skipped < elapsed() * perSecond) {
      if (inFlight.size >= MAX_IN_FLIGHT) {
        skipped += 1;
        continue;
      }
      const at = elapsed();
      const load = next(sent);
      sent += 1;
      const done = send(agent, load).then((response) => {
        results.push({ request: load, at, ...response });
        inFlight.delete(done);
      });
      inFlight.add(done);
    }
  }, TICK_MS);
  return {
    results,
    get seconds() {
      return elapsed();
    },
    async stop() {
      clearInterval(timer);
      await Promise.all(inFlight);
      agent.destroy();
      return results;
    },
  };
}

function send(
  agent: Agent,
  { method, url, headers = {}, body = '' }: LoadRequest,
): Promise<Omit<LoadResult, 'request' | 'at'>> {
  return new Promise((resolve) => {
    const length = body === '' ? {} : { 'content-length': Buffer.byteLength(body) };
    const options = { method, agent, headers: { ...headers, ...length }, timeout: 60_000 };
    const broken = (error: Error) => resolve({ status: undefined, body: String(error) });
    const call = request(url, options, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => resolve({ status: response.statusCode, body: Buffer.concat(chunks).toString() }));
      response.on('error', broken);
    });
    call.on('timeout', () => call.destroy(new Error('no response within a minute')));
    call.on('error', broken);
    call.end(body);
  });
}
