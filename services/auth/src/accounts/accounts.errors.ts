import { defineError } from '@shop/core/errors';

export const emailTaken = defineError('conflict', 'email_taken', 'This email address is already in use.', {
  when: 'Another account has this email address. Upper and lower case are the same.',
  action: 'Log in to that account, or use another email address.',
});
export const phoneTaken = defineError('conflict', 'phone_taken', 'This phone number is already in use.', {
  when: 'Another account has this phone number.',
  action: 'Log in to that account, or use another number.',
});
export const lastAdmin = defineError(
  'conflict',
  'last_admin',
  'This is the last admin. Make another user an admin first.',
  {
    when: 'A request would take away the role of the last administrator, or delete their account.',
    action: 'Make another user an admin first.',
  },
);
