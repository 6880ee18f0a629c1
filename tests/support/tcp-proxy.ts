import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

export interface TcpProxy {
  port: number;
  /** Maps the bytes from the client to the bytes for the server. */
  toServer: (bytes: Buffer) => Buffer;
  /** Maps the bytes from the server to the bytes for the client. undefined drops them and closes the connection. */
  toClient: (bytes: Buffer) => Buffer | undefined;
  /** Until `thaw`, no bytes pass and no connection is refused. */
  freeze(): void;
  thaw(): void;
  close(): Promise<void>;
}

/** A TCP proxy that a test can cut or freeze, and that can change the bytes. */
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
