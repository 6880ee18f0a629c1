import {
  encodeRequest,
  isExactly,
  knownGrammar,
  operationsOf,
  problemsOfFieldErrors,
  sendRequest,
  wrongRequests,
} from '@shop/fuzz';
import { serviceNames } from '@shop/shop';
import { random } from '@shop/test-servers';
import { aUser, type TestUser } from '@shop/testing';
import { startNamed } from './support/all-services';

/**
 * Every single mistake in every declared field of every endpoint, generated from the services' OpenAPI documents: each gets a
 * 400 with exactly one error, with the right location, code and message.
 */

let admin: TestUser;
beforeAll(async () => {
  admin = await aUser({ role: 'admin' });
});

// Hundreds of requests, also on a slow machine.

test.each(serviceNames)('%s reports each invalid field and what it expects', async (name) => {
  const app = await startNamed(name);
  try {
    const operations = operationsOf((await app.http.get('/openapi.json').expect(200)).body);
    const wrong: string[] = [];
    let count = 0;
    for (const operation of operations) {
      for (const { what, makeParts, expected } of wrongRequests(operation, random(1, count), knownGrammar)) {
        count += 1;
        const parts = makeParts();
        const request = encodeRequest(operation, {
          ...parts,
          headers: { ...parts.headers, authorization: admin.auth.Authorization },
        });
        const { status, body } = await sendRequest(app.url, request);
        const { code, errors = [] } = JSON.parse(body.toString() || '{}');
        const fits = status === 400 && code === 'invalid_request' && isExactly(errors, expected);
        if (fits && problemsOfFieldErrors(errors).length === 0) continue;
        wrong.push(`${operation.name} ${what}: ${status} ${code} ${JSON.stringify(errors).slice(0, 300)}`);
      }
    }
    expect(wrong).toEqual([]);
    expect(count).toBeGreaterThanOrEqual(10);
  } finally {
    await app.close();
  }
});
