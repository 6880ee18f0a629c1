import { randomUUID } from 'node:crypto';
import { authService } from '@shop/auth';
import type { Env } from '@shop/core';
import {
  type CapturedLog,
  capturedLog,
  eventually,
  productionEnv,
  rows,
  startApp,
  startProxy,
  type TestApp,
} from '@shop/testing';
import { aRegistered, logIn } from '../../tests/people';
import { type SmtpServer, startSmtpServer } from '../../tests/smtp-server';
import { hashOfToken } from '../sessions/opaque-token';

const RESET_PAGE = 'https://shop.test/reset?lang=en';
let smtp: SmtpServer;
let production: Env;
let log: CapturedLog;
let app: TestApp;

/** As in production, where the token goes by mail. */
const inProduction = (port: number, overrides: Record<string, string> = {}, logger = log.logger) =>
  startApp(
    authService,
    {
      ...production,
      SMTP_HOST: '127.0.0.1',
      SMTP_PORT: String(port),
      MAIL_FROM: 'help@shop.test',
      PASSWORD_RESET_URL: RESET_PAGE,
      ...overrides,
    },
    logger,
  );

beforeAll(async () => {
  [smtp, production] = await Promise.all([startSmtpServer(), productionEnv()]);
});
beforeEach(async () => {
  log = capturedLog('info');
  app = await inProduction(smtp.port);
});
afterEach(() => app.close());
afterAll(() => smtp.close());

const askFor = (email: string, where = app) => where.http.post('/api/v1/auth/forgot-password').send({ email });
const mailsTo = (email: string) => smtp.mails.filter(({ to }) => to === email);
const mailTo = async (email: string) => {
  await eventually(`a mail to ${email}`, () => mailsTo(email).length > 0);
  return mailsTo(email)[0]?.text ?? '';
};
const linkIn = (text: string): URL => new URL(/^https:\S+$/m.exec(text)?.[0] ?? '');
const complaints = () => log.lines().filter(({ msg }) => msg === 'a reset mail was not sent');
/** What a client can see of an answer, but for its date and request id. */
const seen = ({ status, headers, text }: { status: number; headers: Record<string, string>; text: string }) => {
  const { date, 'x-request-id': requestId, ratelimit, ...same } = headers;
  return { status, same, text };
};

describe('in production', () => {
  test('the token goes by mail, as a link that works, and stands in no answer and no log', async () => {
    const user = await aRegistered(app);
    const answer = await askFor(user.email).expect(202);
    expect(answer.body).toEqual({ expires_in: 3600 });

    const text = await mailTo(user.email);
    expect(smtp.mails.find(({ to }) => to === user.email)?.from).toBe('help@shop.test');
    const link = linkIn(text);
    expect(link.href).toMatch(new RegExp(`^${RESET_PAGE.replace('?', '\\?')}&token=[\\w-]{43}$`));
    const token = link.searchParams.get('token') ?? '';
    const stored = await rows('SELECT token_hash FROM password_resets WHERE user_id = ?', [user.id]);
    expect(stored).toEqual([{ token_hash: hashOfToken(token) }]);

    await app.http.post('/api/v1/auth/reset-password').send({ token, password: 'a newer password' }).expect(204);
    await logIn(app, { ...user, password: 'a newer password' }).expect(200);
    expect(log.text()).toContain('/api/v1/auth/forgot-password');
    for (const secret of [token, hashOfToken(token), 'a newer password']) expect(log.text()).not.toContain(secret);
  });

  test('an unknown address gets the same answer, byte for byte, and no mail', async () => {
    const user = await aRegistered(app);
    const stranger = `${randomUUID()}@example.com`;
    const unknown = await askFor(stranger);
    const known = await askFor(user.email);
    expect(seen(unknown)).toEqual(seen(known));
    expect(unknown.status).toBe(202);
    // The mail of the later request has arrived: an earlier one would have, too.
    await mailTo(user.email);
    expect(mailsTo(stranger)).toEqual([]);
  });

  test('only the link of the newest mail works', async () => {
    const user = await aRegistered(app);
    await askFor(user.email).expect(202);
    const first = linkIn(await mailTo(user.email));
    await askFor(user.email).expect(202);
    await eventually('the second mail', () => mailsTo(user.email).length === 2);
    const second = linkIn(mailsTo(user.email)[1]?.text ?? '');
    const use = (link: URL) =>
      app.http
        .post('/api/v1/auth/reset-password')
        .send({ token: link.searchParams.get('token'), password: 'a newer password' });
    expect((await use(first).expect(400)).body.code).toBe('invalid_token');
    await use(second).expect(204);
  });
});

test('in development a mail server, where there is one, gets the token that is in the answer', async () => {
  const local = await startApp(authService, {
    SMTP_HOST: '127.0.0.1',
    SMTP_PORT: String(smtp.port),
    PASSWORD_RESET_URL: RESET_PAGE,
  });
  try {
    const user = await aRegistered(local);
    const stranger = `${randomUUID()}@example.com`;
    await askFor(stranger, local).expect(404);
    const { body } = await askFor(user.email, local).expect(200);
    expect(linkIn(await mailTo(user.email)).searchParams.get('token')).toBe(body.reset_token);
    expect(mailsTo(stranger)).toEqual([]);
  } finally {
    await local.close();
  }
});

describe('where the mail server fails', () => {
  test('is away, the answer stays the same and the operator reads why, without the token', async () => {
    const away = await startSmtpServer();
    await away.close();
    const cutOff = await inProduction(away.port);
    try {
      const user = await aRegistered(cutOff);
      const known = await askFor(user.email, cutOff).expect(202);
      expect(seen(known)).toEqual(seen(await askFor(`${randomUUID()}@example.com`, cutOff)));
      await eventually('the complaint', () => complaints().length === 1);
      expect(complaints()[0]).toMatchObject({ level: 'error', user_id: user.id });
      expect(JSON.stringify(complaints()[0]?.err)).toContain('ECONNREFUSED');
      const [row] = await rows<{ token_hash: string }>('SELECT token_hash FROM password_resets WHERE user_id = ?', [
        user.id,
      ]);
      expect(log.text()).not.toContain(row?.token_hash);
      expect(log.text()).not.toContain('token=');
      await logIn(cutOff, user).expect(200);
    } finally {
      await cutOff.close();
    }
  });

  test('refuses the mail, the next one is sent nevertheless', async () => {
    const [user, other] = [await aRegistered(app), await aRegistered(app)];
    smtp.refuse(user.email);
    await askFor(user.email).expect(202);
    await askFor(other.email).expect(202);
    await mailTo(other.email);
    await eventually('the complaint', () => complaints().length === 1);
    expect(complaints()[0]).toMatchObject({ user_id: user.id });
    expect(mailsTo(user.email)).toEqual([]);
  });

  test('is slow, nobody waits for it: a flood is answered, and as much of it is mailed as may wait', async () => {
    const line = await startProxy({ host: '127.0.0.1', port: smtp.port });
    line.freeze();
    const slow = await inProduction(line.port);
    try {
      const [user, other] = [await aRegistered(slow), await aRegistered(slow)];
      const answers = await Promise.all(Array.from({ length: 105 }, () => askFor(user.email, slow)));
      expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([202]));
      expect(mailsTo(user.email)).toEqual([]);
      await logIn(slow, other).expect(200);
      // 2 are being sent and 100 wait; who comes later is answered alike.
      await eventually('the complaints', () => complaints().length === 3);
      for (const { err } of complaints()) expect(err).toMatchObject({ code: 'overloaded' });
      line.thaw();
      await eventually('the mails', () => mailsTo(user.email).length === 102);
    } finally {
      await line.close();
      await slow.close();
    }
  });

  test('offers no TLS, the password for it is not sent', async () => {
    const withPassword = await inProduction(smtp.port, { SMTP_USER: 'shop', SMTP_PASS: 'mail server password' });
    try {
      const user = await aRegistered(withPassword);
      const before = smtp.commands.length;
      await askFor(user.email, withPassword).expect(202);
      await eventually('the complaint', () => complaints().length === 1);
      const said = smtp.commands.slice(before);
      expect(said.some((line) => line.startsWith('EHLO'))).toBe(true);
      expect(said.filter((line) => /^(AUTH|MAIL)/.test(line))).toEqual([]);
      expect(log.text()).not.toContain('mail server password');
    } finally {
      await withPassword.close();
    }
  });
});
