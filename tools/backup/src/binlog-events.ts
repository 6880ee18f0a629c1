import { EventEmitter } from 'node:events';
import { Readable } from 'node:stream';
import { type Connection, createConnection } from 'mysql2';

/** An event of the binary log: a header, the content and, if the format description says so, a checksum. */
export interface BinlogEvent {
  type: number;
  /** When the statement began, s since the epoch. */
  seconds: number;
  bytes: Buffer;
}

export const HEADER_BYTES = 19;

const COM_BINLOG_DUMP = 0x12;
/** The server ends the response at the end of the log, instead of waiting for more. */
const NON_BLOCKING = 1;
/** Any id that no server has. Two readers with the same id would end each other. */
const newReaderId = () => 0x4000_0000 + Math.floor(Math.random() * 0x3fff_ffff);

/** What a command of mysql2 uses of the connection and of a packet. Its types do not declare it. */
interface Internals {
  addCommand(command: DumpCommand): void;
  _resetSequenceId(): void;
  _bumpSequenceId(packets: number): void;
  write(bytes: Buffer): void;
  stream: { pause(): void; resume(): void };
}
interface Packet {
  buffer: Buffer;
  offset: number;
  end: number;
  isEOF(): boolean;
  isError(): boolean;
  asError(encoding: string): Error;
}

/** Asks for the log like a replica. mysql2's own command fails on a file's name, and drops the events' bytes. */
class DumpCommand extends EventEmitter {
  #isSent = false;

  constructor(
    private readonly file: string,
    private readonly position: number,
  ) {
    super();
  }

  /** Called by mysql2, first without a packet. @returns whether the command is done */
  execute(packet: Packet, connection: Internals): boolean {
    if (!this.#isSent) {
      this.#isSent = true;
      connection._resetSequenceId();
      connection._bumpSequenceId(1);
      connection.write(this.request());
      return false;
    }
    if (packet.isError()) {
      this.emit('failed', packet.asError('utf8'));
      return true;
    }
    if (packet.isEOF()) {
      this.emit('complete');
      return true;
    }
    // A copy without the status byte, because mysql2 uses its buffer again.
    this.emit('event', Buffer.from(packet.buffer.subarray(packet.offset + 1, packet.end)));
    return false;
  }

  private request(): Buffer {
    const name = Buffer.from(this.file);
    const request = Buffer.alloc(15);
    request.writeUIntLE(11 + name.length, 0, 3);
    request[4] = COM_BINLOG_DUMP;
    request.writeUInt32LE(this.position, 5);
    request.writeUInt16LE(NON_BLOCKING, 9);
    request.writeUInt32LE(newReaderId(), 11);
    return Buffer.concat([request, name]);
  }
}

/** The reader may pause for long. It knows checksums, and MariaDB's own kinds of events. */
const SESSION_SETUP =
  'SET net_write_timeout = 3600, @master_binlog_checksum = @@global.binlog_checksum, ' +
  '@source_binlog_checksum = @@global.binlog_checksum, @mariadb_slave_capability = 4';

export interface BinlogPosition {
  file: string;
  position: number;
}

/** Reads the binary log from a position to its current end, over all files in between. The server waits for a slow reader. */
export function readEvents(
  server: Parameters<typeof createConnection>[0] & object,
  { file, position }: BinlogPosition,
): AsyncIterable<BinlogEvent> {
  const connection = createConnection(server);
  // Not connection.pause(): the packets that mysql2 holds back meanwhile are lost if the server then closes the connection.
  const { stream } = internalsOf(connection);
  const events = new Readable({
    objectMode: true,
    highWaterMark: 256,
    read: () => stream.resume(),
    destroy(error, done) {
      connection.destroy();
      done(error);
    },
  });
  const command = new DumpCommand(file, position);
  command.on('event', (bytes: Buffer) => {
    const event: BinlogEvent = { type: bytes.readUInt8(4), seconds: bytes.readUInt32LE(0), bytes };
    if (!events.push(event)) stream.pause();
  });
  let isComplete = false;
  command.on('complete', () => {
    isComplete = true;
    events.push(null);
  });
  // At the end of the log, the server closes the connection.
  const fail = (error: Error) => isComplete || events.destroy(error);
  command.on('failed', fail);
  connection.on('error', fail);
  connection.query(SESSION_SETUP, (error) => {
    if (error) fail(error);
    else internalsOf(connection).addCommand(command);
  });
  return events;
}

const internalsOf = (connection: Connection) => connection as unknown as Internals;
