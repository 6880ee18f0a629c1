import { defineError } from '@shop/core/errors';
import { endpoint } from '@shop/core/http';
import { capturedLog, exampleService, exampleTag, productionEnv, startApp } from '@shop/testing';

const outOfTea = defineError('conflict', 'out_of_tea', 'There is no tea left.', { when: 'No tea.', action: 'Wait.' });

describe('an error that the endpoint does not declare', () => {
  const service = exampleService(() => [
    endpoint({
      method: 'get',
      path: '/tea',
      tag: exampleTag,
      summary: 'Tea',
      access: 'public',
      responses: { 204: 'empty' },
      handler: async () => {
        throw outOfTea();
      },
    }),
  ]);

  it('is a 500 outside production, and the log names it', async () => {
    const log = capturedLog();
    const strict = await startApp(service, {}, log.logger);
    const response = await strict.http.get('/tea').expect(500);
    expect(response.body.code).toBe('internal_error');
    expect(log.text()).toContain('get /tea does not declare the error out_of_tea');
    await strict.close();
  });

  it('is sent in production', async () => {
    const production = await startApp(service, await productionEnv());
    const response = await production.http.get('/tea').expect(409);
    expect(response.body.code).toBe('out_of_tea');
    await production.close();
  });
});
