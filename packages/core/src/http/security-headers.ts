import helmet from 'helmet';
import { type HeaderList, headersSetBy } from './header-list';

/** The security headers of every response. They do not depend on the request. */
export const listSecurityHeaders = (): HeaderList =>
  headersSetBy(
    helmet({
      // HSTS must be set where TLS is terminated.
      strictTransportSecurity: false,
      // An API sends data, never a page to render; the docs page sets its own policy.
      contentSecurityPolicy: {
        useDefaults: false,
        directives: { 'default-src': ["'none'"], 'frame-ancestors': ["'none'"] },
      },
      xFrameOptions: { action: 'deny' },
    }),
  );
