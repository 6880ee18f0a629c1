export const authTag = {
  name: 'auth',
  description: 'Registration, login, tokens, passwords, email addresses and second factors.',
};

export const usersTag = {
  name: 'users',
  description: 'Accounts: your own, and those of all users for administrators.',
};
