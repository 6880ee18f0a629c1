import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

export interface TcpProxy {
  port: number;
  /** Called with what the client sends; gives what the server gets. */
  toServer: (bytes: Buffer) => Buffer;
  /** Called with what the server answers; undefined: the answer is lost, and the connection with it. */
  toClient: (bytes: Buffer) => Buffer | undefined;
  /** From now on nothing passes and nothing is refused, until `thaw`. */
  freeze(): void;
  thaw(): void;
  close(): Promise<void>;
}

/** A line to a server that a test may cut, freeze or meddle with. */
export async function startProxy(target: { host: string; port: number }): Promise<TcpProxy> {
  const sockets = new Set<Socket>();
  let frozen = false;
  const keep = (socket: Socket) => {
    sockets.add(socket);
    socket.setNoDelay(true);
    socket.on('error', () => undefined);
    socket.on('close', () => sockets.delete(socket));
    if (frozen) socket.pause();
  };
  const listener = createServer((client) => {
    const server = connect(target.port, target.host);
    keep(client);
    keep(server);
    client.on('data', (bytes) => server.write(proxy.toServer(bytes)));
    server.on('data', (bytes) => {
      const passed = proxy.toClient(bytes);
      if (passed) {
        client.write(passed);
      } else {
        client.destroy();
        server.destroy();
      }
    });
    client.on('close', () => server.end());
    client.on('end', () => server.end());
    server.on('close', () => client.destroy());
  });
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
  const proxy: TcpProxy = {
    port: (listener.address() as AddressInfo).port,
    toServer: (bytes) => bytes,
    toClient: (bytes) => bytes,
    freeze() {
      frozen = true;
      for (const socket of sockets) socket.pause();
    },
    thaw() {
      frozen = false;
      for (const socket of sockets) socket.resume();
    },
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => listener.close(resolve));
    },
  };
  return proxy;
}
