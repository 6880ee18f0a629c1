const TIMEOUT_MS = 8000;

export interface Reply {
  /** undefined: there was no response. */
  status: number | undefined;
  code: string | undefined;
  body: Record<string, unknown>;
}

interface Request {
  token?: string;
  key?: string | undefined;
  json?: object;
  /** Disconnects after this many ms: the response is lost, whatever the shop does with the request. */
  hangUpMs?: number | undefined;
}

const noAnswer: Reply = { status: undefined, code: undefined, body: {} };

/** Sends one request once. Never rejects: a missing response is a result too. */
export async function ask(url: string, method: string, { token, key, json, hangUpMs }: Request): Promise<Reply> {
  try {
    const response = await fetch(url, {
      method,
      headers: {
        ...(token ? { authorization: `Bearer ${token}` } : {}),
        ...(key ? { 'idempotency-key': key } : {}),
        ...(json ? { 'content-type': 'application/json' } : {}),
      },
      body: json ? JSON.stringify(json) : null,
      signal: AbortSignal.timeout(hangUpMs ?? TIMEOUT_MS),
    });
    const text = await response.text();
    const body = text.startsWith('{') ? (JSON.parse(text) as Record<string, unknown>) : {};
    return { status: response.status, code: typeof body.code === 'string' ? body.code : undefined, body };
  } catch {
    return noAnswer;
  }
}
