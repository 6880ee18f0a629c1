import { mkdtemp, writeFile } from 'node:fs/promises';
import { createServer, type Server as HttpServer, type IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { alertmanagerServer, freePort, type Server } from '@shop/test-servers';
import { eventually } from './support/eventually';

/** A real Alertmanager with monitoring/alertmanager.yml. The URLs of its webhooks come from files. */

interface Received {
  url: string | undefined;
  body: string;
}

let webhook: HttpServer;
let alertmanager: Server;
const received: Received[] = [];

beforeAll(async () => {
  const port = await freePort();
  webhook = createServer(async (request: IncomingMessage, response) => {
    received.push({ url: request.url, body: await text(request) });
    response.end('ok');
  }).listen(port, '127.0.0.1');
  const dir = await mkdtemp(path.join(process.env.SHOP_TEST_DIR ?? tmpdir(), 'alertmanager-'));
  await writeFile(path.join(dir, 'alert_webhook_url'), `http://127.0.0.1:${port}/secret-hook`);
  await writeFile(path.join(dir, 'heartbeat_url'), `http://127.0.0.1:${port}/secret-heartbeat`);
  const options = { port: await freePort(), dir: path.join(dir, 'data'), logFile: path.join(dir, 'alertmanager.log') };
  alertmanager = alertmanagerServer({ ...options, secrets: dir });
  await alertmanager.start();
});
afterAll(async () => {
  await alertmanager?.stop();
  webhook?.close();
});

/** As Prometheus sends it. */
async function fire(labels: Record<string, string>): Promise<void> {
  const { alertname } = labels;
  const runbook_url = `https://shop.example/runbooks/${alertname}.md`;
  const annotations = { summary: `${alertname} is here`, description: 'It is bad.', runbook_url };
  const response = await fetch(`http://127.0.0.1:${alertmanager.port}/api/v2/alerts`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify([{ labels, annotations }]),
  });
  expect(response.status).toBe(200);
}

const messagesAbout = (name: string) => received.filter(({ body }) => body.includes(name));

test('a critical alert of production pages, with a link to its runbook', async () => {
  await fire({ alertname: 'LocalTrouble', environment: 'local', severity: 'critical' });
  await fire({ alertname: 'ServiceDown', environment: 'production', severity: 'critical', service: 'auth' });
  await eventually('the message', async () => messagesAbout('ServiceDown').length > 0);
  const [{ url, body } = { body: '{}' }] = messagesAbout('ServiceDown');
  expect(url).toBe('/secret-hook');
  const { channel, attachments } = JSON.parse(body) as {
    channel: string;
    attachments: { title: string; text: string }[];
  };
  expect(channel).toBe('#shop-on-call');
  expect(attachments[0]).toMatchObject({
    title: 'ServiceDown (firing)',
    text: '<!channel> ServiceDown is here. It is bad. https://shop.example/runbooks/ServiceDown.md\n',
  });
  expect(messagesAbout('LocalTrouble')).toEqual([]);
});

test("Watchdog goes to the dead man's switch only", async () => {
  await fire({ alertname: 'Watchdog', environment: 'production', severity: 'none' });
  await eventually('the heartbeat', async () => messagesAbout('Watchdog').length > 0);
  expect(messagesAbout('Watchdog').map(({ url }) => url)).toEqual(['/secret-heartbeat']);
});
