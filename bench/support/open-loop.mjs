import { connect } from 'node:net';

/**
 * A load generator that costs little, because it shares the machine with what it measures: prepared bytes on plain sockets, and
 * no more parsing than status and Content-Length.
 */
export class Generator {
  /** Connections without a request, the one used last first. */
  #free = [];
  #open = new Set();

  constructor(url) {
    const { hostname, port } = new URL(url);
    this.address = { host: hostname, port: Number(port), noDelay: true };
  }

  /**
   * Opens connections beforehand, as a gateway has them. A Node process accepts only one in each turn of its event loop, and closes
   * those without a request after some seconds.
   */
  async connect(count) {
    const health = this.prepare({ path: '/health' });
    for (let opened = 0; opened < count; opened += 50) {
      await Promise.all(Array.from({ length: 50 }, () => this.#send(health, 0, [], this.#connect())));
    }
  }

  /** As bytes to send. */
  prepare({ method = 'GET', path, headers = {}, body = '' }) {
    const all = { host: `${this.address.host}:${this.address.port}`, ...headers };
    if (body !== '') all['content-length'] = Buffer.byteLength(body);
    const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}`);
    return Buffer.from([`${method} ${path} HTTP/1.1`, ...lines, '', body].join('\r\n'));
  }

  /**
   * Sends `perSecond` requests a second, whether or not responses arrive. Each takes a free connection or opens one.
   * @param next the bytes of request number n
   */
  async openLoop(next, perSecond, seconds) {
    const results = [];
    const start = performance.now();
    const pending = [];
    let lateMs = 0;
    await new Promise((resolve) => {
      let sent = 0;
      const timer = setInterval(() => {
        const now = performance.now();
        lateMs = Math.max(lateMs, now - start - (sent * 1000) / perSecond);
        const due = Math.min(seconds, (now - start) / 1000) * perSecond;
        for (; sent < due; sent += 1) pending.push(this.#send(next(sent), start, results));
        if (now - start < seconds * 1000) return;
        clearInterval(timer);
        resolve();
      }, 1);
    });
    await Promise.all(pending);
    return { results, seconds, lateMs };
  }

  /** Each of `clients` sends its next request when it has its response. */
  async closedLoop(next, clients, seconds) {
    const results = [];
    const start = performance.now();
    let sent = 0;
    const client = async () => {
      while (performance.now() - start < seconds * 1000) await this.#send(next(sent++), start, results);
    };
    await Promise.all(Array.from({ length: clients }, client));
    return { results, seconds: (performance.now() - start) / 1000, lateMs: 0 };
  }

  close() {
    for (const socket of this.#open) socket.destroy();
  }

  /** Adds to the results: status (0: the connection failed), `at` and `ms`, when it was sent and how long it took. */
  #send(bytes, start, results, socket = this.#free.pop() ?? this.#connect()) {
    return new Promise((resolve) => {
      const sentAt = performance.now();
      socket.onResponse = (status) => {
        socket.onResponse = undefined;
        results.push({ status, at: (sentAt - start) / 1000, ms: performance.now() - sentAt });
        resolve();
      };
      socket.write(bytes);
    });
  }

  #connect() {
    const socket = connect(this.address);
    let received = '';
    this.#open.add(socket);
    socket.setEncoding('latin1');
    socket.on('data', (chunk) => {
      received += chunk;
      const end = received.indexOf('\r\n\r\n');
      if (end < 0) return;
      const head = received.slice(0, end);
      const length = Number(/\r\ncontent-length: *(\d+)/i.exec(head)?.[1] ?? 0);
      if (received.length < end + 4 + length) return;
      received = '';
      if (!/\r\nconnection: *close/i.test(head)) this.#free.push(socket);
      socket.onResponse?.(Number(head.slice(9, 12)));
    });
    socket.on('error', () => undefined);
    socket.on('close', () => {
      this.#open.delete(socket);
      this.#free = this.#free.filter((one) => one !== socket);
      socket.onResponse?.(0);
    });
    return socket;
  }
}

/** The value below which this share of the sorted or unsorted numbers is. NaN for none. */
export function quantile(values, share) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}
