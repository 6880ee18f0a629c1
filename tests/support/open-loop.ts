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

export interface OpenLoop {
  /** Sends no more, and resolves to all results once every answer is there. */
  stop(): Promise<{ results: LoadResult[]; seconds: number }>;
  /** What has come back so far. */
  readonly results: readonly LoadResult[];
  readonly sent: number;
}

const TICK_MS = 5;

/**
 * How many requests a second leave this machine idle half of the time, at most `most`. What else runs here decides what is a
 * usual load and what is too much, and a shop that gets too much answers 503.
 */
export async function affordableRate(most: number, next: (turn: number) => LoadRequest): Promise<number> {
  const agent = new Agent({ keepAlive: true });
  const start = performance.now();
  let sent = 0;
  const client = async () => {
    while (sent < SAMPLE) {
      sent += 1;
      await send(agent, next(sent));
    }
  };
  await Promise.all(Array.from({ length: 8 }, client));
  agent.destroy();
  const perSecond = (1000 * SAMPLE) / (performance.now() - start);
  return Math.max(1, Math.min(most, Math.floor(perSecond / 2)));
}

const SAMPLE = 400;

/** Sends `perSecond` requests each second whatever becomes of the earlier ones, each once: nothing is ever retried. */
export function openLoop(perSecond: number, next: (turn: number) => LoadRequest): OpenLoop {
  const agent = new Agent({ keepAlive: true, maxSockets: 500 });
  const results: LoadResult[] = [];
  const underWay = new Set<Promise<void>>();
  const start = performance.now();
  const elapsed = () => (performance.now() - start) / 1000;
  let sent = 0;
  const timer = setInterval(() => {
    for (; sent < elapsed() * perSecond; sent += 1) {
      const at = elapsed();
      const load = next(sent);
      const answered = send(agent, load).then((answer) => {
        results.push({ request: load, at, ...answer });
        underWay.delete(answered);
      });
      underWay.add(answered);
    }
  }, TICK_MS);
  return {
    results,
    get sent() {
      return sent;
    },
    async stop() {
      clearInterval(timer);
      const seconds = elapsed();
      await Promise.all(underWay);
      agent.destroy();
      return { results, seconds };
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
