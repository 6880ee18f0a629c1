/** Where a request came from. */
export interface Client {
  ip: string;
  userAgent: string | undefined;
  requestId: string;
}

/** @param input of an endpoint's handler */
export const clientOf = (input: { clientIp: string; userAgent: string | undefined; requestId: string }): Client => ({
  ip: input.clientIp,
  userAgent: input.userAgent,
  requestId: input.requestId,
});

const MAX_USER_AGENT = 255;

/** What fits in the columns `ip` and `user_agent`. */
export const clientColumns = ({ ip, userAgent }: Client) => ({
  ip,
  userAgent: userAgent?.slice(0, MAX_USER_AGENT) ?? null,
});
