import type { OAuth2Client } from 'google-auth-library';
import { invalidIdToken } from './google.errors';
import { type GoogleIdentity, googleIdentity } from './google.schemas';
import { GoogleKeys } from './google-keys';

const ISSUERS = ['accounts.google.com', 'https://accounts.google.com'];

export class IdTokenVerifier {
  private client: OAuth2Client | undefined;
  private readonly keys: GoogleKeys;

  constructor(
    private readonly clientId: string,
    certsUrl: string,
  ) {
    this.keys = new GoogleKeys(certsUrl);
  }

  /** Checks signature, times, issuer and audience, and that Google has verified the email address. */
  async verify(idToken: string): Promise<GoogleIdentity> {
    // Loaded on first use, because it is large.
    this.client ??= new (await import('google-auth-library')).OAuth2Client();
    const payload = await this.verifiedPayload(this.client, idToken, await this.keys.current());
    const identity = googleIdentity.safeParse(payload);
    if (!identity.success) throw invalidIdToken();
    return identity.data;
  }

  /** @returns undefined if invalid. Drops the library's error, because its text contains the token. */
  private async verifiedPayload(
    client: OAuth2Client,
    idToken: string,
    certs: Record<string, string>,
  ): Promise<unknown> {
    try {
      const ticket = await client.verifySignedJwtWithCertsAsync(idToken, certs, this.clientId, ISSUERS);
      return ticket.getPayload();
    } catch {
      return undefined;
    }
  }
}
