import { Duplex } from 'node:stream';

/**
 * Simulates a Redis and its network in this process, on the (fake) clock of `setTimeout`, for tests that try thousands of
 * faults in an order given by a seed.
 */

/** `silent`: nothing arrives in either direction until the line is `open` again. */
type Line = 'open' | 'silent' | 'refused';

interface Connection {
  socket: SimulatedSocket;
  process: number;
  /** Of the server that accepted it. */
  data: Map<string, Buffer>;
  /** Sent but not arrived yet: delayed by a silent line. */
  outbound: Buffer[];
  inbound: Buffer[];
  /** Arrived but not read yet. */
  unread: Buffer;
  ended: boolean;
}

class SimulatedSocket extends Duplex {
  connecting = true;
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly on_: { write: (bytes: Buffer) => void; gone: () => void }) {
    super({ allowHalfOpen: false });
  }
  override _write(chunk: Buffer | string, encoding: BufferEncoding, done: () => void): void {
    this.on_.write(typeof chunk === 'string' ? Buffer.from(chunk, encoding) : chunk);
    done();
  }
  override _read(): void {}
  override _final(done: () => void): void {
    this.on_.gone();
    done();
  }
  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    clearTimeout(this.timer);
    this.on_.gone();
    done(error);
  }
  setNoDelay(): this {
    return this;
  }
  setKeepAlive(): this {
    return this;
  }
  setTimeout(ms: number, listener?: () => void): this {
    clearTimeout(this.timer);
    if (ms > 0 && listener) this.timer = setTimeout(listener, ms);
    return this;
  }
  opened(): void {
    this.connecting = false;
    this.emit('connect');
  }
}

export interface SimulatedRedis {
  /** Replaces `net.createConnection` for the process with this number. */
  connect(process: number): Duplex;
  setLine(process: number, line: Line): void;
  freeze(): void;
  /** @param order of the commands of several processes */
  thaw(order: 'arrival' | 'random'): void;
  /** Ends all connections and refuses new ones until `start`. */
  kill(): void;
  /** @param data all its data, the data of the last `snapshot`, or none */
  start(data: 'all' | 'snapshot' | 'nothing'): void;
  snapshot(): void;
  /**
   * Promotes a replica, which has the data of the last `snapshot`. New connections lead to it. The old master accepts commands
   * until each connection to it is reset, within `leaveWithinMs`.
   */
  failOver(leaveWithinMs: number): void;
}

export function simulatedRedis(random: () => number): SimulatedRedis {
  const connections = new Set<Connection>();
  const lines = new Map<number, Line>();
  /** Connections with unread data in order of arrival, as epoll reports them. */
  const readable = new Set<Connection>();
  let data = new Map<string, Buffer>();
  let saved = new Map<string, Buffer>();
  let frozen = false;
  let running = true;
  const lineOf = (process: number) => lines.get(process) ?? 'open';
  const soon = (work: () => void) => setTimeout(work, Math.floor(random() * 4));

  function arrive(connection: Connection): void {
    if (lineOf(connection.process) !== 'open' || !running) return;
    for (const bytes of connection.outbound.splice(0)) connection.unread = Buffer.concat([connection.unread, bytes]);
    if (connection.unread.length > 0) readable.add(connection);
    if (!frozen) serve([...readable]);
  }

  function serve(order: Connection[]): void {
    readable.clear();
    for (const connection of order) {
      const { commands, rest } = parse(connection.unread);
      connection.unread = rest;
      for (const command of commands) connection.inbound.push(execute(connection.data, command));
      soon(() => deliver(connection));
    }
  }

  function deliver(connection: Connection): void {
    if (lineOf(connection.process) !== 'open' || connection.ended) return;
    for (const bytes of connection.inbound.splice(0)) connection.socket.push(bytes);
  }

  function reset(connection: Connection): void {
    connections.delete(connection);
    readable.delete(connection);
    connection.ended = true;
    connection.socket.destroy();
  }

  function accept(connection: Connection): void {
    connection.data = data;
    connection.socket.opened();
  }

  return {
    connect(process) {
      const connection: Connection = {
        process,
        data,
        outbound: [],
        inbound: [],
        unread: Buffer.alloc(0),
        ended: false,
        socket: new SimulatedSocket({
          write(bytes) {
            connection.outbound.push(bytes);
            soon(() => arrive(connection));
          },
          gone() {
            if (connection.ended) return;
            connection.ended = true;
            // Commands already sent are either still executed, possibly much later, or lost.
            if (random() < 0.5) connection.outbound.length = 0;
            if (running) connection.socket.push(null);
          },
        }),
      };
      connections.add(connection);
      const open = () => {
        if (connection.ended) return;
        if (lineOf(process) === 'silent') return;
        if (lineOf(process) === 'refused' || !running) {
          connection.socket.destroy(Object.assign(new Error('refused'), { code: 'ECONNREFUSED' }));
        } else accept(connection);
      };
      // Processes that lose their connections together do not reconnect together.
      setTimeout(open, random() * (random() < 0.5 ? 4 : 200));
      return connection.socket;
    },
    setLine(process, line) {
      lines.set(process, line);
      for (const connection of [...connections].filter((each) => each.process === process)) {
        if (line === 'refused') reset(connection);
        if (line !== 'open') continue;
        if (connection.socket.connecting) soon(() => !connection.ended && accept(connection));
        arrive(connection);
        deliver(connection);
      }
    },
    freeze() {
      frozen = true;
    },
    thaw(order) {
      frozen = false;
      const waiting = [...readable];
      serve(
        order === 'arrival'
          ? waiting
          : waiting
              .map((c) => ({ c, at: random() }))
              .sort((a, b) => a.at - b.at)
              .map(({ c }) => c),
      );
    },
    kill() {
      running = false;
      frozen = false;
      for (const connection of [...connections]) reset(connection);
    },
    start(kept) {
      running = true;
      if (kept !== 'all') data = new Map(kept === 'snapshot' ? saved : []);
    },
    snapshot() {
      saved = new Map(data);
    },
    failOver(leaveWithinMs) {
      data = new Map(saved);
      for (const connection of connections) setTimeout(() => reset(connection), random() * leaveWithinMs);
    },
  };
}

function parse(bytes: Buffer): { commands: Buffer[][]; rest: Buffer } {
  const commands: Buffer[][] = [];
  let at = 0;
  const line = (from: number) => {
    const end = bytes.indexOf('\r\n', from);
    return end < 0 ? undefined : { value: Number(bytes.toString('latin1', from + 1, end)), next: end + 2 };
  };
  for (;;) {
    const count = line(at);
    if (!count) return { commands, rest: bytes.subarray(at) };
    const command: Buffer[] = [];
    let next = count.next;
    for (let index = 0; index < count.value; index += 1) {
      const length = line(next);
      if (!length || bytes.length < length.next + length.value + 2) return { commands, rest: bytes.subarray(at) };
      command.push(bytes.subarray(length.next, length.next + length.value));
      next = length.next + length.value + 2;
    }
    commands.push(command);
    at = next;
  }
}

const bulk = (value: Buffer | undefined): Buffer =>
  value ? Buffer.concat([Buffer.from(`$${value.length}\r\n`), value, Buffer.from('\r\n')]) : Buffer.from('$-1\r\n');

/** Executes one command. Ignores TTLs: nothing expires within a test. */
function execute(data: Map<string, Buffer>, [name, ...values]: Buffer[]): Buffer {
  const keys = values.map(String);
  switch (String(name).toLowerCase()) {
    case 'mget':
      return Buffer.concat([Buffer.from(`*${keys.length}\r\n`), ...keys.map((key) => bulk(data.get(key)))]);
    case 'set': {
      const [key = '', ...options] = keys;
      if (options.includes('NX') && data.has(key)) return bulk(undefined);
      data.set(key, Buffer.from(values[1] ?? ''));
      return Buffer.from('+OK\r\n');
    }
    case 'unlink':
      return Buffer.from(`:${keys.filter((key) => data.delete(key)).length}\r\n`);
    case 'info':
      return bulk(Buffer.from('loading:0\r\n'));
    case 'ping':
      return Buffer.from('+PONG\r\n');
    case 'client':
      return Buffer.from('+OK\r\n');
    default:
      return Buffer.from(`-ERR unknown command '${name}'\r\n`);
  }
}
