import { ApiError, type CatalogProduct, ConnectionError, isApiError } from '@shop/client';

/** The API knows amounts, not currencies. */
const money = new Intl.NumberFormat('en-IE', { style: 'currency', currency: 'EUR' });
const day = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium' });
const moment = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeStyle: 'short' });

export const price = (amount: number): string => money.format(amount);
export const date = (time: string): string => day.format(new Date(time));
export const dateAndTime = (time: string): string => moment.format(new Date(time));
export const plural = (count: number, one: string, many = `${one}s`): string => `${count} ${count === 1 ? one : many}`;

/** What went wrong, for the person in front of the screen. */
export function errorText(error: unknown, products: readonly Pick<CatalogProduct, 'id' | 'name'>[] = []): string {
  if (error instanceof ConnectionError) return 'The shop did not respond. Check your connection, then try again.';
  if (!(error instanceof ApiError)) return 'Something went wrong in this page. Reload it, then try again.';
  if (isApiError(error, 'insufficient_stock')) {
    const short = error.problem.products ?? [];
    if (short.length === 0) return 'There is not enough in stock.';
    return short
      .map(({ product_id, available }) => {
        const name = products.find(({ id }) => id === product_id)?.name ?? 'A product';
        return available > 0 ? `Only ${available} of “${name}” left.` : `“${name}” is sold out.`;
      })
      .join(' ');
  }
  if (isApiError(error, 'total_changed')) return 'A price has changed. Look at the new total, then order again.';
  if (isApiError(error, 'invalid_credentials')) return 'Email address or password is wrong.';
  if (isApiError(error, 'too_many_attempts'))
    return 'Too many wrong passwords. Wait some minutes, or reset your password.';
  if (isApiError(error, 'email_taken')) return 'There is already an account with this email address. Log in instead.';
  if (isApiError(error, 'phone_taken')) return 'There is already an account with this phone number.';
  if (isApiError(error, 'weak_password')) return 'Many people use this password. Choose another one.';
  if (isApiError(error, 'rate_limited', 'too_many_connections'))
    return 'Too many requests at once. Wait a moment, then try again.';
  if (isApiError(error, 'unsupported_media_type')) return 'This file is not an image. Choose a JPEG, PNG, GIF or WebP.';
  if (isApiError(error, 'payload_too_large')) return 'This file is too large. Choose one of at most 5 MB.';
  if (isApiError(error, 'invalid_request')) return 'Check the marked fields.';
  if (isApiError(error, 'not_found')) return 'This is not here any more.';
  if (error.status >= 500)
    return `The shop has a problem at the moment. Try again. (Request ${error.requestId ?? 'unknown'})`;
  return error.message;
}

/** The messages of a 400 for the fields of a form. */
export const fieldErrors = (error: unknown): Record<string, string> => (isApiError(error) ? error.fields : {});
