import { OAuth2Client } from 'google-auth-library';
import { invalidIdToken } from './google.errors';
import { type GoogleIdentity, googleIdentity } from './google.schemas';
import type { GoogleKeys } from './google-keys';

interface Parts {
  clientId: string;
  keys: GoogleKeys;
}

export type VerifyIdToken = (idToken: string) => Promise<GoogleIdentity>;

const ISSUERS = ['accounts.google.com', 'https://accounts.google.com'];

/** Signature, times, issuer, audience, and that Google has verified the address. @throws AppError `invalid_id_token`, `google_unavailable` */
export function verifyIdToken({ clientId, keys }: Parts): VerifyIdToken {
  const client = new OAuth2Client(clientId);
  return async (idToken) => {
    const current = await keys.current();
    const identity = googleIdentity.safeParse(await verifiedPayload(client, idToken, current, clientId));
    if (!identity.success) throw invalidIdToken();
    return identity.data;
  };
}

/** undefined: not valid. The library's error is dropped, since its text holds the token. */
async function verifiedPayload(
  client: OAuth2Client,
  idToken: string,
  keys: Record<string, string>,
  clientId: string,
): Promise<unknown> {
  try {
    const ticket = await client.verifySignedJwtWithCertsAsync(idToken, keys, clientId, ISSUERS);
    return ticket.getPayload();
  } catch {
    return undefined;
  }
}
