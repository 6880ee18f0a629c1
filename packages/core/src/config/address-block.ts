import { isIP } from 'node:net';

/** An IP address or a CIDR block. A single address is a block of one. */
interface AddressBlock {
  version: 4 | 6;
  /** Length of the network prefix in bits. */
  prefix: number;
  /** Not routed on the internet (IPv6 only): fc00::/7 and fe80::/10. */
  isLocal: boolean;
}

const IPV4_MAPPED = /^::ffff:[0-9a-f]{1,4}:[0-9a-f]{1,4}$/;
const LOCAL = /^f(?:[cd][0-9a-f]{2}|e[89ab][0-9a-f]):/;

/**
 * Parses what Express accepts as a trusted proxy: an address or a CIDR block other than /0. Returns a block of IPv4-mapped
 * IPv6 addresses as the IPv4 block.
 */
export function parseBlock(text: string): AddressBlock | undefined {
  const [address = '', bits, ...rest] = text.split('/');
  const version = isIP(address);
  if (!version || rest.length > 0 || (bits !== undefined && !/^\d{1,3}$/.test(bits))) return undefined;
  if (version === 4) return blockOf(4, Number(bits ?? 32));
  const url = `http://[${address}]`;
  if (!URL.canParse(url)) return undefined;
  const canonical = new URL(url).hostname.slice(1, -1);
  const prefix = Number(bits ?? 128);
  return IPV4_MAPPED.test(canonical) ? blockOf(4, prefix - 96) : blockOf(6, prefix, LOCAL.test(canonical));
}

function blockOf(version: 4 | 6, prefix: number, isLocal = false): AddressBlock | undefined {
  const isPrefix = prefix >= 1 && prefix <= (version === 4 ? 32 : 128);
  return isPrefix ? { version, prefix, isLocal } : undefined;
}
