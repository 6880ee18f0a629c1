import { aUser } from '@shop/testing';
import { type StartedService, startAll } from './support/all-services';
import { type Gateway, type HttpResponse, sendRequest, startGateway } from './support/nginx-gateway';

/** A path behaves the same on a service's own port and at the gateway, and each resource has exactly one path. */

let services: StartedService[];
let gateway: Gateway;
let authorization: string;
beforeAll(async () => {
  services = await startAll({ TRUST_PROXY: '127.0.0.2' });
  gateway = await startGateway(Object.fromEntries(services.map((one) => [one.name, [`127.0.0.1:${portOf(one)}`]])));
  authorization = `Bearer ${(await aUser()).token}`;
});
afterAll(() => Promise.all([gateway?.stop(), ...services.map(({ app }) => app.close())]));

const portOf = ({ app }: StartedService): number => Number(new URL(app.url).port);
const outcome = ({ status, json }: HttpResponse) => `${status} ${json.code ?? ''}`.trim();

async function bothWays(service: StartedService, path: string, method = 'GET'): Promise<string[]> {
  const options = { method, headers: { authorization } };
  const responses = await Promise.all([portOf(service), gateway.port].map((port) => sendRequest(port, path, options)));
  return responses.map(outcome);
}

const named = (name: string): StartedService => {
  const found = services.find((one) => one.name === name);
  if (!found) throw new Error(`no service ${name}`);
  return found;
};

test.each([
  ['/api/v1/stores', '200'],
  ['/api/v1/stores?page=1', '200'],
  ['/api/v1/stores/', '404 not_found'],
  ['/api/v1/Stores', '404 not_found'],
  ['/API/V1/STORES', '404 not_found'],
  ['//api/v1/stores', '404 not_found'],
  ['/api/v1//stores', '404 not_found'],
  ['/api/v1/st%6fres', '404 not_found'],
  ['/api/v1/stores/987654321', '404 not_found'],
  ['/api/v1/stores/0987654321', '404 not_found'],
  ['/api/v1/stores/01', '404 not_found'],
  ['/api/v1/stores/001', '404 not_found'],
  ['/api/v1/stores/%301', '404 not_found'],
  ['/api/v1/stores/1/', '404 not_found'],
  ['/api/v1/stores/0', '400 invalid_request'],
  ['/api/v1/stores/+1', '400 invalid_request'],
  ['/api/v1/stores/-1', '400 invalid_request'],
  ['/api/v1/stores/1.0', '400 invalid_request'],
  ['/api/v1/stores/1e0', '400 invalid_request'],
  ['/api/v1/stores/0x1', '400 invalid_request'],
  ['/api/v1/stores/%201', '400 invalid_request'],
  ['/api/v1/stores/abc', '400 invalid_request'],
])('%s of the store service is %s both ways', async (path, expected) => {
  expect(await bothWays(named('store'), path)).toEqual([expected, expected]);
});

test.each([
  ['/health', '200'],
  ['/health/', '404 not_found'],
  ['/Health', '404 not_found'],
  ['/docs', '200'],
  ['/docs/', '404 not_found'],
  ['/Docs', '404 not_found'],
  ['/docs/swagger-ui.css', '200'],
  ['/docs/Swagger-UI.css', '404 not_found'],
  ['/docs/package.json', '404 not_found'],
  ['/openapi.json', '200'],
  ['/openapi.json/', '404 not_found'],
  ['/OpenAPI.json', '404 not_found'],
])('%s is %s both ways', async (path, expected) => {
  expect(await bothWays(named('auth'), path)).toEqual([expected, expected]);
});

test.each([
  ['/uploads', '404 not_found'],
  ['/uploads/', '404 not_found'],
  ['/Uploads/a.png', '404 not_found'],
  ['/uploads/a.png/', '404 not_found'],
])('%s of the file service is %s both ways', async (path, expected) => {
  expect(await bothWays(named('file'), path)).toEqual([expected, expected]);
});

test('every declared path responds the same both ways and has no other spelling', async () => {
  const wrong: string[] = [];
  let count = 0;
  for (const service of services) {
    for (const { method, path } of service.endpoints) {
      // Some endpoints revoke the token, which the services learn within seconds.
      authorization = `Bearer ${(await aUser()).token}`;
      const real = path.replace(/:(\w+)/g, (_, name: string) => (name === 'id' ? '987654321' : 'none.png'));
      const [direct, through] = await bothWays(service, real, method.toUpperCase());
      if (direct !== through) wrong.push(`${method} ${real}: ${direct} and ${through}`);
      for (const other of [`${real}/`, real.toUpperCase(), `/${real}`, real.replace('987654321', '0987654321')]) {
        if (other === real) continue;
        const outcomes = await bothWays(service, other, method.toUpperCase());
        if (outcomes.some((one) => one !== '404 not_found'))
          wrong.push(`${method} ${other}: ${outcomes.join(' and ')}`);
        count += 1;
      }
    }
  }
  expect(wrong).toEqual([]);
  expect(count).toBeGreaterThan(90);
});
