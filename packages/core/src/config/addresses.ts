import { z } from 'zod';

export interface Address {
  host: string;
  port: number;
}

const ADDRESS = /^(?:\[([^\]]+)\]|([^:\s]+))(?::(\d{1,5}))?$/;

/** A comma-separated list such as `one.example:26379,[::1]`. */
export const addressList = (defaultPort: number) =>
  z.string().transform((value, context): Address[] => {
    const addresses = value.split(',').flatMap((item) => {
      const [, ipv6, name, port = defaultPort] = ADDRESS.exec(item.trim()) ?? [];
      const host = ipv6 ?? name;
      return host && Number(port) >= 1 && Number(port) <= 65_535 ? [{ host, port: Number(port) }] : [];
    });
    if (addresses.length === value.split(',').length) return addresses;
    context.addIssue({ code: 'custom', message: 'must be a comma-separated list of host:port' });
    return z.NEVER;
  });
