export interface HttpConfig {
  /** The peers whose X-Forwarded-For counts: addresses or CIDR blocks. */
  trustProxy: string[];
  /** '*': any origin, without credentials. */
  corsOrigins: '*' | string[];
  /** An error that its endpoint does not declare becomes a 500: everywhere but in production. */
  refusesUndeclaredErrors: boolean;
}
