import { createHash, randomInt, randomUUID } from 'node:crypto';
import { authService } from '@shop/auth';
import type { Env } from '@shop/core/config';
import {
  aUser,
  type CapturedLog,
  capturedLog,
  eventually,
  figure,
  lockedRow,
  productionEnv,
  rows,
  scrape,
  startApp,
  startProxy,
  type TestApp,
  useOwnDatabase,
} from '@shop/testing';
import { aPerson, aRegisteredUser, logIn } from '../../tests/people';
import { type SmtpServer, startSmtpServer } from '../../tests/smtp-server';
import { hashToken } from '../sessions/opaque-token';

const RESET_PAGE = 'https://shop.test/reset?lang=en';
let smtp: SmtpServer;
let production: Env;
let log: CapturedLog;
let app: TestApp;
/** A new one for each test, because mails are counted per client. */
let client: string;

/** Starts the service as in production, where the token is sent by mail. */
const inProduction = (port: number, overrides: Record<string, string> = {}, logger = log.logger) =>
  startApp(
    authService,
    {
      ...production,
      SMTP_HOST: '127.0.0.1',
      SMTP_PORT: String(port),
      MAIL_FROM: 'help@shop.test',
      PASSWORD_RESET_URL: RESET_PAGE,
      TRUST_PROXY: '127.0.0.1/32',
      ...overrides,
    },
    logger,
  );

beforeAll(async () => {
  await useOwnDatabase();
  [smtp, production] = await Promise.all([startSmtpServer(), productionEnv()]);
});
beforeEach(async () => {
  client = aClient();
  log = capturedLog('info');
  app = await inProduction(smtp.port);
});
afterEach(() => app.close());
afterAll(() => smtp.close());

const aClient = () => `203.${randomInt(256)}.${randomInt(256)}.${randomInt(1, 255)}`;
const requestReset = (email: string, where = app, from = client) =>
  where.http.post('/api/v1/auth/forgot-password').set('X-Forwarded-For', from).send({ email });
/** Without those that registering sends. */
const mailsTo = (email: string) =>
  smtp.mails.filter(({ to, text }) => to === email && text.includes('set a new password'));
const mailTo = async (email: string) => {
  await eventually(`a mail to ${email}`, () => mailsTo(email).length > 0);
  return mailsTo(email)[0]?.text ?? '';
};
const waiting = (email: string) => rows('SELECT id FROM mails WHERE recipient = ?', [email]);
const linkIn = (text: string): URL => new URL(/^https:\S+$/m.exec(text)?.[0] ?? '');
const mailErrors = () =>
  log.lines().filter(({ msg, kind }) => kind === 'password_reset' && String(msg).startsWith('could not send a mail'));
const limited = () =>
  log.lines().filter(({ msg, kind }) => kind === 'password_reset' && String(msg).startsWith('mail not sent'));
/** What a client can see of a response, except its date and request id. */
const visibleParts = ({ status, headers, text }: { status: number; headers: Record<string, string>; text: string }) => {
  const { date, 'x-request-id': requestId, ratelimit, ...same } = headers;
  return { status, same, text };
};

describe('in production', () => {
  test('the token is mailed as a working link and appears in no response and no log', async () => {
    const user = await aRegisteredUser(app);
    const response = await requestReset(user.email).expect(202);
    expect(response.body).toEqual({ expires_in: 3600 });

    const text = await mailTo(user.email);
    expect(smtp.mails.find(({ to }) => to === user.email)?.from).toBe('help@shop.test');
    const link = linkIn(text);
    expect(link.href).toMatch(new RegExp(`^${RESET_PAGE.replace('?', '\\?')}&token=[\\w-]{43}$`));
    const token = link.searchParams.get('token') ?? '';
    const stored = await rows('SELECT token_hash FROM password_resets WHERE user_id = ?', [user.id]);
    expect(stored).toEqual([{ token_hash: hashToken(token) }]);

    await app.http.post('/api/v1/auth/reset-password').send({ token, password: 'a newer password' }).expect(204);
    await logIn(app, { ...user, password: 'a newer password' }).expect(200);
    expect(log.text()).toContain('/api/v1/auth/forgot-password');
    for (const secret of [token, hashToken(token), 'a newer password']) expect(log.text()).not.toContain(secret);
  });

  test('the mail reaches an email address with every character that HTML allows, and one with a punycode domain', async () => {
    const signs = `a.!#$%&'*+/=?^_\`{|}~-${randomUUID()}@example.com`;
    for (const email of [signs, `ada@${randomUUID()}.xn--mller-kva.de`]) {
      await app.http.post('/api/v1/auth/register').send(aPerson({ email })).expect(201);
      await requestReset(email).expect(202);
      expect(linkIn(await mailTo(email)).searchParams.get('token')).toMatch(/^[\w-]{43}$/);
    }
  });

  test('an unknown email address gets the same response, byte for byte, and no mail', async () => {
    const user = await aRegisteredUser(app);
    const stranger = `${randomUUID()}@example.com`;
    const unknown = await requestReset(stranger);
    const known = await requestReset(user.email);
    expect(visibleParts(unknown)).toEqual(visibleParts(known));
    expect(unknown.status).toBe(202);
    // The mail of a later request has arrived, so an earlier one would have arrived too.
    await mailTo(user.email);
    expect(mailsTo(stranger)).toEqual([]);
  });

  test('the response does not wait for the account, so its time says nothing about it', async () => {
    const user = await aRegisteredUser(app);
    const lock = await lockedRow('users', user.id);
    await requestReset(user.email).expect(202);
    await lock.release();
    await mailTo(user.email);
  });

  test('only the link of the newest mail works', async () => {
    const user = await aRegisteredUser(app);
    await requestReset(user.email).expect(202);
    const first = linkIn(await mailTo(user.email));
    await requestReset(user.email).expect(202);
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

test('in development the token in the response is also mailed if there is a mail server', async () => {
  const local = await startApp(authService, {
    SMTP_HOST: '127.0.0.1',
    SMTP_PORT: String(smtp.port),
    PASSWORD_RESET_URL: RESET_PAGE,
  });
  try {
    const user = await aRegisteredUser(local);
    const stranger = `${randomUUID()}@example.com`;
    await requestReset(stranger, local).expect(404);
    const { body } = await requestReset(user.email, local).expect(200);
    expect(linkIn(await mailTo(user.email)).searchParams.get('token')).toBe(body.reset_token);
    expect(mailsTo(stranger)).toEqual([]);
  } finally {
    await local.close();
  }
});

describe('the mail limit', () => {
  const hashOf = (email: string) => createHash('sha256').update(email).digest('hex');
  const forgetMails = (email: string, ago: number) =>
    rows('UPDATE mail_quotas SET sent_at = ? WHERE subject = ?', [
      Array(3)
        .fill(Date.now() - ago)
        .join(),
      `reset:email:${hashOf(email)}`,
    ]);

  test('is 3 an hour for one account, over replicas and restarts', async () => {
    const replica = await inProduction(smtp.port);
    const user = await aUser();
    const responses = await Promise.all(
      Array.from({ length: 9 }, (_, index) => requestReset(user.email, index % 2 ? app : replica)),
    );
    expect(new Set(responses.map(({ status }) => status))).toEqual(new Set([202]));
    await eventually('3 mails', () => mailsTo(user.email).length === 3);
    await eventually('6 limited mails', () => limited().length === 6);
    await replica.close();

    const restarted = await inProduction(smtp.port);
    try {
      await forgetMails(user.email, 3_590_000);
      await requestReset(user.email, restarted).expect(202);
      await eventually('the tenth', () => limited().length === 7);
      expect(mailsTo(user.email)).toHaveLength(3);

      await forgetMails(user.email, 3_600_000);
      await requestReset(user.email, restarted).expect(202);
      await eventually('a mail an hour later', () => mailsTo(user.email).length === 4);
    } finally {
      await restarted.close();
    }
  });

  test('leaves the link of the last sent mail valid after requests beyond it', async () => {
    const user = await aRegisteredUser(app);
    for (let count = 1; count <= 3; count += 1) {
      await requestReset(user.email).expect(202);
      await eventually('the mail', () => mailsTo(user.email).length === count);
    }
    await requestReset(user.email).expect(202);
    await eventually('the fourth request', () => limited().length === 1);
    const token = linkIn(mailsTo(user.email)[2]?.text ?? '').searchParams.get('token');
    await app.http.post('/api/v1/auth/reset-password').send({ token, password: 'a newer password' }).expect(204);
  });

  test('is 20 an hour for one client IP address over replicas; another one is not affected', async () => {
    const apps = [await inProduction(smtp.port), await inProduction(smtp.port)] as const;
    try {
      const other = aClient();
      const users = await Promise.all(Array.from({ length: 24 }, () => aUser()));
      await Promise.all(users.map(({ email }, index) => requestReset(email, apps[index % 2 ? 0 : 1], client)));
      const sent = () => users.filter(({ email }) => mailsTo(email).length > 0);
      await eventually('every mail to be sent or limited', () => sent().length + limited().length === 24);
      expect(sent()).toHaveLength(20);
      const [left] = users.filter((user) => !sent().includes(user));
      await requestReset(left?.email ?? '', apps[0], other);
      await eventually('a mail that another client requested', () => mailsTo(left?.email ?? '').length === 1);
      // A limited mail does not count against the account.
      const quota = await rows<{ sent_at: string }>('SELECT sent_at FROM mail_quotas WHERE subject = ?', [
        `reset:email:${hashOf(left?.email ?? '')}`,
      ]);
      expect(quota[0]?.sent_at).toMatch(/^\d+$/);
    } finally {
      await Promise.all(apps.map((each) => each.close()));
    }
  });

  test('counts an IPv6 client by its /64', async () => {
    const proxied = await inProduction(smtp.port);
    try {
      const network = `2001:db8:${randomInt(1, 65_536).toString(16)}:${randomInt(1, 65_536).toString(16)}`;
      const users = await Promise.all(Array.from({ length: 21 }, () => aUser()));
      await Promise.all(users.map(({ email }, index) => requestReset(email, proxied, `${network}::${index + 1}`)));
      await eventually('20 mails', () => users.filter(({ email }) => mailsTo(email).length > 0).length === 20);
      await eventually('the limited mail', () => limited().length === 1);
    } finally {
      await proxied.close();
    }
  });

  test("does not delay other users' mails while one account is flooded and the mail server is slow", async () => {
    const slow = await startSmtpServer({ delayMs: 200 });
    const proxied = await inProduction(slow.port);
    try {
      const [victim, neighbour, stranger] = [await aUser(), await aUser(), await aUser()];
      const [attacker, other] = [aClient(), aClient()];
      const flood = () => Promise.all(Array.from({ length: 40 }, () => requestReset(victim.email, proxied, attacker)));
      await flood();
      await requestReset(neighbour.email, proxied, attacker);
      await requestReset(stranger.email, proxied, other);
      await flood();
      await eventually('all mails', () => slow.mails.length === 5);
      await eventually('all others to be limited', () => limited().length === 77);
      const recipients = slow.mails.map(({ to }) => to).sort();
      expect(recipients).toEqual([...Array(3).fill(victim.email), neighbour.email, stranger.email].sort());
    } finally {
      await Promise.all([proxied.close(), slow.close()]);
    }
  });

  test('is visible in the metrics', async () => {
    const user = await aUser();
    const before = await scrape(app.url);
    for (let count = 0; count < 4; count += 1) await requestReset(user.email).expect(202);
    await eventually(
      'every mail to be sent or limited',
      () => mailsTo(user.email).length === 3 && limited().length === 1,
    );
    const grown = async (outcome: string) => {
      const now = await scrape(app.url);
      return (
        Number(figure(now, 'mails_total', { kind: 'password_reset', outcome })) -
        Number(figure(before, 'mails_total', { kind: 'password_reset', outcome }))
      );
    };
    await eventually('the counters', async () => (await grown('sent')) === 3 && (await grown('limited')) === 1);
  });

  test('applies in development too: the token stays in every response, and mails are limited', async () => {
    const local = await startApp(
      authService,
      { SMTP_HOST: '127.0.0.1', SMTP_PORT: String(smtp.port), PASSWORD_RESET_URL: RESET_PAGE },
      log.logger,
    );
    try {
      const user = await aUser();
      for (let count = 0; count < 5; count += 1) {
        expect((await requestReset(user.email, local).expect(200)).body.reset_token).toMatch(/^[\w-]{43}$/);
      }
      await eventually('3 mails', () => mailsTo(user.email).length === 3);
      await eventually('2 limited mails', () => limited().length === 2);
    } finally {
      await local.close();
    }
  });
});

describe('when the mail server', () => {
  test('is unreachable, the response is the same and the log says why, without the token', async () => {
    const away = await startSmtpServer();
    await away.close();
    const cutOff = await inProduction(away.port);
    try {
      const user = await aRegisteredUser(cutOff);
      const known = await requestReset(user.email, cutOff).expect(202);
      expect(visibleParts(known)).toEqual(visibleParts(await requestReset(`${randomUUID()}@example.com`, cutOff)));
      await eventually('the logged error', () => mailErrors().length === 1);
      expect(mailErrors()[0]).toMatchObject({ level: 'warn', msg: 'could not send a mail, trying again in 5 s' });
      expect(JSON.stringify(mailErrors()[0]?.err)).toContain('ECONNREFUSED');
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

  test('refuses a mail, the next one is still sent', async () => {
    const [user, other] = [await aRegisteredUser(app), await aRegisteredUser(app)];
    smtp.refuse(user.email);
    await requestReset(user.email).expect(202);
    await requestReset(other.email).expect(202);
    await mailTo(other.email);
    await eventually('the logged error', () => mailErrors().length === 1);
    expect(mailErrors()[0]).toMatchObject({ level: 'error', msg: 'could not send a mail, giving up' });
    expect(await waiting(user.email)).toEqual([]);
    expect(mailsTo(user.email)).toEqual([]);
  });

  test('hangs, a flood of requests is still accepted, and mailed up to the limit once it recovers', async () => {
    const line = await startProxy({ host: '127.0.0.1', port: smtp.port });
    line.freeze();
    const slow = await inProduction(line.port);
    try {
      const [user, other] = [await aRegisteredUser(slow), await aRegisteredUser(slow)];
      const responses = await Promise.all(Array.from({ length: 105 }, () => requestReset(user.email, slow)));
      expect(new Set(responses.map(({ status }) => status))).toEqual(new Set([202]));
      expect(mailsTo(user.email)).toEqual([]);
      await logIn(slow, other).expect(200);
      await eventually('the requests beyond the limit', () => limited().length === 102);
      line.thaw();
      await eventually('the mails', () => mailsTo(user.email).length === 3);
    } finally {
      await line.close();
      await slow.close();
    }
  });

  test('offers no TLS, the SMTP password is not sent', async () => {
    const withPassword = await inProduction(smtp.port, { SMTP_USER: 'shop', SMTP_PASS: 'mail server password' });
    try {
      const user = await aRegisteredUser(withPassword);
      const before = smtp.commands.length;
      await requestReset(user.email, withPassword).expect(202);
      await eventually('the logged error', () => mailErrors().length === 1);
      const said = smtp.commands.slice(before);
      expect(said.some((line) => line.startsWith('EHLO'))).toBe(true);
      expect(said.filter((line) => /^(AUTH|MAIL)/.test(line))).toEqual([]);
      expect(log.text()).not.toContain('mail server password');
    } finally {
      await withPassword.close();
    }
  });
});
