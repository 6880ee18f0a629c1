import type { MailKind } from './mails.sql';

interface Template {
  subject: string;
  paragraphs: string[];
  /** The text of the button. The mail has a link only with it. */
  button?: string;
  /** Below the link. */
  closing?: string;
}

export interface MailContent {
  subject: string;
  text: string;
  html: string;
}

const templates: Record<MailKind, (shop: string) => Template> = {
  password_reset: (shop) => ({
    subject: `${shop}: set a new password`,
    paragraphs: [
      `You, or someone else, asked to set a new password for your account at ${shop}.`,
      'Open this link within an hour to do so:',
    ],
    button: 'Set a new password',
    closing: 'If this was not you, ignore this mail. Your password stays the same.',
  }),
  email_verification: (shop) => ({
    subject: `${shop}: confirm your email address`,
    paragraphs: [
      `An account at ${shop} was given this email address.`,
      'If the account is yours, open this link within 24 hours to confirm it:',
    ],
    button: 'Confirm the address',
    closing: 'If you do not know this account, do not open the link.',
  }),
  email_change: (shop) => ({
    subject: `${shop}: your email address is about to change`,
    paragraphs: [
      `Someone with your password asked to change the email address of your account at ${shop}. This address counts until the new one is confirmed.`,
      'If this was not you, set a new password now. That ends all sessions.',
    ],
  }),
};

const escapeHtml = (text: string): string => text.replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`);

/** @param link required for the kinds that have a button */
export function renderMail(kind: MailKind, shopName: string, link: URL | undefined): MailContent {
  const { subject, paragraphs, button, closing } = templates[kind](shopName);
  const target = button === undefined ? undefined : link?.href;
  const text = [...paragraphs, target, closing].filter((part) => part !== undefined);
  const html = [
    ...paragraphs.map((part) => `<p>${escapeHtml(part)}</p>`),
    ...(target && button ? [`<p><a href="${escapeHtml(target)}">${escapeHtml(button)}</a></p>`] : []),
    ...(closing === undefined ? [] : [`<p>${escapeHtml(closing)}</p>`]),
  ];
  return { subject, text: `${text.join('\n\n')}\n`, html: `${html.join('\n')}\n` };
}
