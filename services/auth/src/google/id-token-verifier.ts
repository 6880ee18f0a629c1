import { OAuth2Client } from 'google-auth-library';
import { invalidIdToken } from './google.errors';
import { type GoogleIdentity, googleIdentity } from './google.schemas';
import { googleKeys } from './google-keys';

export interface IdTokenVerifier {
  /** Checks signature, times, issuer and audience, and that Google has verified the email address. */
  verify(idToken: string): Promise<GoogleIdentity>;
}

const ISSUERS = ['accounts.google.com', 'https://accounts.google.com'];

export function createIdTokenVerifier(clientId: string, certsUrl: string): IdTokenVerifier {
  const client = new OAuth2Client(clientId);
  const keys = googleKeys(certsUrl);

  /** @returns undefined if invalid. Drops the library's error, because its text contains the token. */
  async function verifiedPayload(idToken: string, certs: Record<string, string>): Promise<unknown> {
    try {
      const ticket = await client.verifySignedJwtWithCertsAsync(idToken, certs, clientId, ISSUERS);
      return ticket.getPayload();
    } catch {
      return undefined;
    }
  }

  async function verify(idToken: string): Promise<GoogleIdentity> {
    const identity = googleIdentity.safeParse(await verifiedPayload(idToken, await keys.current()));
    if (!identity.success) throw invalidIdToken();
    return identity.data;
  }

  return { verify };
}
