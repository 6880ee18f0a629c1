const TIMEOUT_MS = 8000;

export interface Reply {
  /** undefined: no answer came. */
  status: number | undefined;
  code: string | undefined;
  body: Record<string, unknown>;
}

interface Request {
  token?: string;
  key?: string | undefined;
  json?: object;
  /** Hang up after so many ms: the answer is lost, whatever the shop does with the request. */
  hangUpMs?: number | undefined;
}

const noAnswer: Reply = { status: undefined, code: undefined, body: {} };

/** One request, once. Never rejects: that no answer came is an answer too. */
export async function ask(url: string, method: string, { token, key, json, hangUpMs }: Request): Promise<Reply> {
  try {
    const answer = await fetch(url, {
      method,
      headers: {
        ...(token ? { authorization: `Bearer ${token}` } : {}),
        ...(key ? { 'idempotency-key': key } : {}),
        ...(json ? { 'content-type': 'application/json' } : {}),
      },
      body: json ? JSON.stringify(json) : null,
      signal: AbortSignal.timeout(hangUpMs ?? TIMEOUT_MS),
    });
    const text = await answer.text();
    const body = text.startsWith('{') ? (JSON.parse(text) as Record<string, unknown>) : {};
    return { status: answer.status, code: typeof body.code === 'string' ? body.code : undefined, body };
  } catch {
    return noAnswer;
  }
}

/** Whether the shop has decided: anything but no answer, too many requests, and "something is away just now". */
export const isFinal = ({ status }: Reply): boolean => status !== undefined && status < 500 && status !== 429;
