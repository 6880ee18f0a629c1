import { OAuth2Client } from 'google-auth-library';
import { invalidIdToken } from './google.errors';
import { type GoogleIdentity, googleIdentity } from './google.schemas';
import { GoogleKeys } from './google-keys';

const ISSUERS = ['accounts.google.com', 'https://accounts.google.com'];

export class IdTokenVerifier {
  private readonly client = new OAuth2Client();
  private readonly keys: GoogleKeys;

  constructor(
    private readonly clientId: string,
    certsUrl: string,
  ) {
    this.keys = new GoogleKeys(certsUrl);
  }

  /** Checks signature, times, issuer and audience, and that Google has verified the email address. */
  async verify(idToken: string): Promise<GoogleIdentity> {
    const identity = googleIdentity.safeParse(await this.verifiedPayload(idToken, await this.keys.current()));
    if (!identity.success) throw invalidIdToken();
    return identity.data;
  }

  /** @returns undefined if invalid. Drops the library's error, because its text contains the token. */
  private async verifiedPayload(idToken: string, certs: Record<string, string>): Promise<unknown> {
    try {
      const ticket = await this.client.verifySignedJwtWithCertsAsync(idToken, certs, this.clientId, ISSUERS);
      return ticket.getPayload();
    } catch {
      return undefined;
    }
  }
}
