export interface HttpConfig {
  /** Whether cookies are only sent over TLS. */
  secureCookies: boolean;
  /** The proxies whose X-Forwarded-For is trusted: IP addresses or CIDR blocks. */
  trustProxy: string[];
  /** '*': any origin, without credentials. */
  corsOrigins: '*' | string[];
  /** An error that its endpoint does not declare becomes a 500. False only in production. */
  refusesUndeclaredErrors: boolean;
}
