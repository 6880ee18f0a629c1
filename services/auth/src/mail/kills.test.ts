import { mkdtempSync } from 'node:fs';
import path from 'node:path';
import { freePort, random, type ServiceServer, serviceServer } from '@shop/test-servers';
import { eventually, rows, testEnv, useOwnDatabase, write } from '@shop/testing';
import { type SmtpServer, startSmtpServer } from '../../tests/smtp-server';

const REQUESTS = 1000;
const CONCURRENT = 8;
const KILLS = 8;

let smtp: SmtpServer;
let auth: ServiceServer;

beforeAll(async () => {
  await useOwnDatabase();
  smtp = await startSmtpServer();
  const env = testEnv({
    APP_ENV: 'testnet',
    LOG_LEVEL: 'info',
    SMTP_HOST: '127.0.0.1',
    SMTP_PORT: String(smtp.port),
    PASSWORD_RESET_URL: 'https://shop.test/reset',
    TRUST_PROXY: '127.0.0.1/32',
    REDIS_HOST: '',
  });
  const port = await freePort();
  const logFile = path.join(mkdtempSync(path.join(process.env.SHOP_TEST_DIR ?? '/tmp', 'kills-')), 'auth.log');
  auth = serviceServer({ service: 'auth', index: 0, port, env, logFile, dieWithParent: true });
  await auth.start();
});
afterAll(() => Promise.all([auth.stop(), smtp.close()]));

const requestReset = async (email: string, client: string): Promise<boolean> => {
  const response = await fetch(`${auth.url}/api/v1/auth/forgot-password`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-forwarded-for': client },
    body: JSON.stringify({ email }),
    signal: AbortSignal.timeout(60_000),
  }).catch(() => undefined);
  return response?.status === 202;
};

test('of 1,000 resets during kills, each accepted mail is sent once or twice', async () => {
  const emails = Array.from({ length: REQUESTS }, (_, index) => `user-${index}@example.com`);
  for (const email of emails) await write("INSERT INTO users (name, email) VALUES ('Ada', ?)", [email]);

  const accepted: string[] = [];
  const waiting = [...emails.entries()];
  const clients = Array.from({ length: CONCURRENT }, async () => {
    for (let next = waiting.shift(); next; next = waiting.shift()) {
      const [index, email] = next;
      if (await requestReset(email, `198.51.${index % 250}.1`)) accepted.push(email);
      else await eventually('the service', async () => (await fetch(`${auth.url}/ready`).catch(() => undefined))?.ok);
    }
  });
  const { integer } = random(Number(process.env.KILLS_SEED ?? 1));
  for (let kill = 1; kill <= KILLS; kill += 1) {
    const target = Math.floor((REQUESTS * kill) / (KILLS + 1)) + integer(-20, 20);
    await eventually('the next kill', () => REQUESTS - waiting.length >= target);
    await auth.kill();
    // What it had claimed would be due in a minute.
    await write('UPDATE mails SET next_attempt_at = NOW(3)');
    await auth.start();
  }
  await Promise.all(clients);
  expect(accepted.length).toBeGreaterThan(REQUESTS / 2);

  await eventually('an empty outbox', async () => {
    return (await rows('SELECT id FROM mails LIMIT 1')).length === 0;
  });
  const deliveries = new Map<string, number>();
  for (const { to } of smtp.mails) deliveries.set(to, (deliveries.get(to) ?? 0) + 1);
  const wrong = accepted
    .map((email) => [email, deliveries.get(email) ?? 0])
    .filter(([, count]) => count !== 1 && count !== 2);
  expect(wrong).toEqual([]);
  console.info(`${accepted.length} accepted, ${smtp.mails.length} mails, ${KILLS} kills`);
});
