import type { Response } from 'supertest';

/** On a slow machine, many requests for one row may wait too long for its lock and get 503, which asks them to try again. */
export async function retryWhileBusy(send: () => PromiseLike<Response>): Promise<Response> {
  for (;;) {
    const response = await send();
    if (response.status !== 503) return response;
    expect(['database_busy', 'overloaded']).toContain(response.body.code);
  }
}
