import type { AddressInfo } from 'node:net';
import { createServer, type Server, type Socket } from 'node:net';
import { createInterface } from 'node:readline';

interface ReceivedMail {
  from: string;
  to: string;
  /** Headers and body, quoted-printable decoded. */
  text: string;
}

export interface SmtpServer {
  port: number;
  mails: ReceivedMail[];
  /** Every received command line. */
  commands: string[];
  /** Refuses mails to this email address from now on. */
  refuse(address: string): void;
  close(): Promise<void>;
}

const decode = (text: string): string =>
  text
    .replace(/=\r?\n/g, '')
    .replace(/=([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));

/** A mail server that records mails. Supports the part of SMTP (RFC 5321) that a client without TLS needs. */
export async function startSmtpServer({ delayMs = 0 } = {}): Promise<SmtpServer> {
  const mails: ReceivedMail[] = [];
  const commands: string[] = [];
  const refused = new Set<string>();
  const server: Server = createServer((socket) => handleConnection(socket, { mails, commands, refused, delayMs }));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    mails,
    commands,
    refuse: (address) => void refused.add(address),
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

interface ServerState {
  mails: ReceivedMail[];
  commands: string[];
  refused: ReadonlySet<string>;
  /** Delay before a mail is accepted. */
  delayMs: number;
}

function handleConnection(socket: Socket, { mails, commands, refused, delayMs }: ServerState): void {
  const say = (line: string) => socket.write(`${line}\r\n`);
  let mail = { from: '', to: '', lines: [] as string[] };
  let inData = false;
  socket.on('error', () => undefined);
  const commandLines = createInterface({ input: socket });
  // readline forwards the socket's errors. A client that closes the connection must not fail the test.
  commandLines.on('error', () => undefined);
  commandLines.on('line', (line) => {
    if (inData) {
      if (line !== '.') {
        mail.lines.push(line.replace(/^\.\./, '.'));
        return;
      }
      inData = false;
      setTimeout(() => {
        mails.push({ from: mail.from, to: mail.to, text: decode(mail.lines.join('\r\n')) });
        say('250 accepted');
      }, delayMs);
      return;
    }
    commands.push(line);
    const [, command = '', argument = ''] = /^(\w+) ?(.*)$/.exec(line) ?? [];
    const address = /<(.*)>/.exec(argument)?.[1] ?? '';
    switch (command.toUpperCase()) {
      case 'EHLO':
        say('250-mail.test');
        say('250 AUTH PLAIN');
        break;
      case 'MAIL':
        mail = { from: address, to: '', lines: [] };
        say('250 ok');
        break;
      case 'RCPT':
        mail.to = address;
        say(refused.has(address) ? '550 no such mailbox' : '250 ok');
        break;
      case 'DATA':
        inData = true;
        say('354 go on');
        break;
      case 'QUIT':
        say('221 bye');
        socket.end();
        break;
      default:
        say('502 command not implemented');
    }
  });
  say('220 mail.test');
}
