import { Agent, request } from 'node:http';

export interface LoadRequest {
  method: string;
  url: string;
  headers?: Record<string, string>;
  body?: string;
  /** The one good answer. */
  expected: number;
}

export interface LoadResult {
  request: LoadRequest;
  /** undefined: the connection broke, or no answer within a minute. */
  status: number | undefined;
  body: string;
  /** Seconds after the start. */
  at: number;
}

export interface PacedLoad {
  /** Sends no more, and resolves to all results once every answer is there. */
  stop(): Promise<LoadResult[]>;
  /** What has come back so far. */
  readonly results: readonly LoadResult[];
  /** Seconds since the start, as in the results. */
  readonly seconds: number;
}

const TICK_MS = 5;
/** More at once than this would measure how busy the machine is: a shop that gets more than it can serve sheds load. */
const MOST_UNDER_WAY = 20;

/** Sends `perSecond` requests each second, fewer where the machine cannot keep up. Each is sent once: nothing is ever retried. */
export function pacedLoad(perSecond: number, next: (turn: number) => LoadRequest): PacedLoad {
  const agent = new Agent({ keepAlive: true });
  const results: LoadResult[] = [];
  const underWay = new Set<Promise<void>>();
  const start = performance.now();
  const elapsed = () => (performance.now() - start) / 1000;
  let sent = 0;
  /** Requests that were due while too many were under way: they are skipped, not sent in a burst later. */
  let skipped = 0;
  const timer = setInterval(() => {
    while (sent + skipped < elapsed() * perSecond) {
      if (underWay.size >= MOST_UNDER_WAY) {
        skipped += 1;
        continue;
      }
      const at = elapsed();
      const load = next(sent);
      sent += 1;
      const answered = send(agent, load).then((answer) => {
        results.push({ request: load, at, ...answer });
        underWay.delete(answered);
      });
      underWay.add(answered);
    }
  }, TICK_MS);
  return {
    results,
    get seconds() {
      return elapsed();
    },
    async stop() {
      clearInterval(timer);
      await Promise.all(underWay);
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
    const call = request(url, options, (answer) => {
      const chunks: Buffer[] = [];
      answer.on('data', (chunk: Buffer) => chunks.push(chunk));
      answer.on('end', () => resolve({ status: answer.statusCode, body: Buffer.concat(chunks).toString() }));
      answer.on('error', broken);
    });
    call.on('timeout', () => call.destroy(new Error('no answer within a minute')));
    call.on('error', broken);
    call.end(body);
  });
}
