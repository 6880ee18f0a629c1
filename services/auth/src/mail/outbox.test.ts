import { randomUUID } from 'node:crypto';
import { authService } from '@shop/auth';
import { capturedLog, eventually, figure, rows, scrape, startApp, type TestApp, useOwnDatabase } from '@shop/testing';
import { aRegisteredUser } from '../../tests/people';
import { startSmtpServer } from '../../tests/smtp-server';

beforeAll(useOwnDatabase);

const runJob = async (app: TestApp) => await app.jobs.find(({ name }) => name === 'send_mails')?.run();

const settingsFor = (port: number) => ({
  SMTP_HOST: '127.0.0.1',
  SMTP_PORT: String(port),
  PASSWORD_RESET_URL: 'https://shop.test/reset',
});

const dueNow = (email: string) => rows('UPDATE mails SET next_attempt_at = NOW(3) WHERE recipient = ?', [email]);
const queued = (email: string) => rows<{ attempts: number }>('SELECT attempts FROM mails WHERE recipient = ?', [email]);

test('a mail waits in the table while the mail server is away, and another replica sends it', async () => {
  const away = await startSmtpServer();
  await away.close();
  const log = capturedLog('info');
  const cutOff = await startApp(authService, settingsFor(away.port), log.logger);
  const user = await aRegisteredUser(cutOff);
  await eventually('a failed attempt', () => log.text().includes('could not send a mail, trying again in 5 s'));
  await cutOff.close();
  expect(await queued(user.email)).toHaveLength(1);

  const smtp = await startSmtpServer();
  const replica = await startApp(authService, settingsFor(smtp.port));
  try {
    await dueNow(user.email);
    await runJob(replica);
    await eventually('the mail', () => smtp.mails.some(({ to }) => to === user.email));
    await eventually('an empty outbox', async () => (await queued(user.email)).length === 0);
    const samples = await scrape(replica.url);
    expect(figure(samples, 'mails_total', { kind: 'email_verification', outcome: 'sent' })).toBeGreaterThan(0);
  } finally {
    await Promise.all([replica.close(), smtp.close()]);
  }
});

test('a mail that a killed process had claimed is sent once its lease has ended', async () => {
  const smtp = await startSmtpServer();
  const email = `${randomUUID()}@example.com`;
  const insert =
    'INSERT INTO mails (kind, recipient, client, token, position, attempts, next_attempt_at) ' +
    "VALUES ('email_change', ?, 'test', NULL, 0, 1, NOW(3) + INTERVAL 60 SECOND)";
  await rows(insert, [email]);
  const app = await startApp(authService, settingsFor(smtp.port));
  try {
    const other = await aRegisteredUser(app);
    await eventually('a mail to another recipient', () => smtp.mails.some(({ to }) => to === other.email));
    expect(await queued(email)).toEqual([{ attempts: 1 }]);
    await dueNow(email);
    await runJob(app);
    await eventually('the mail', () => smtp.mails.some(({ to }) => to === email));
  } finally {
    await Promise.all([app.close(), smtp.close()]);
  }
});

test('a mail that fails for a day is given up', async () => {
  const away = await startSmtpServer();
  await away.close();
  const log = capturedLog('info');
  const app = await startApp(authService, settingsFor(away.port), log.logger);
  try {
    const user = await aRegisteredUser(app);
    await eventually('a failed attempt', () => log.text().includes('trying again'));
    await rows('UPDATE mails SET created_at = created_at - INTERVAL 1 DAY WHERE recipient = ?', [user.email]);
    await dueNow(user.email);
    await runJob(app);
    await eventually('the end', () => log.text().includes('could not send a mail, giving up'));
    await eventually('an empty outbox', async () => (await queued(user.email)).length === 0);
  } finally {
    await app.close();
  }
});

test('four replicas send each of 40 mails once', async () => {
  const smtp = await startSmtpServer({ delayMs: 5 });
  const emails = Array.from({ length: 40 }, () => `${randomUUID()}@example.com`);
  for (const email of emails) {
    await rows('INSERT INTO mails (kind, recipient, client, position, next_attempt_at) VALUES (?, ?, ?, 0, NOW(3))', [
      'email_change',
      email,
      'test',
    ]);
  }
  const apps = await Promise.all(Array.from({ length: 4 }, () => startApp(authService, settingsFor(smtp.port))));
  try {
    await Promise.all(apps.map(runJob));
    const sent = () => smtp.mails.filter(({ to }) => emails.includes(to)).map(({ to }) => to);
    expect(sent().sort()).toEqual(emails.sort());
  } finally {
    await Promise.all([...apps.map((app) => app.close()), smtp.close()]);
  }
});
