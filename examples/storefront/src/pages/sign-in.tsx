import { isApiError } from '@shop/client';
import { useState } from 'preact/hooks';
import { loadUser, shop } from '../api.ts';
import { linkTo } from '../router.ts';
import { submits, useAction } from '../state.ts';
import { fieldErrors } from '../text.ts';
import { ActionButton, Field, fieldsOf, Problem } from '../ui.tsx';

/** The forms to log in and to sign up. What needs an account shows them in its place, and goes on afterwards. */
export function SignIn({ reason, startsWith = 'log-in' }: { reason: string; startsWith?: 'log-in' | 'sign-up' }) {
  const [form, setForm] = useState(startsWith);
  return (
    <div class="sign-in">
      <p>{reason}</p>
      {form === 'log-in' ? <LogIn /> : <SignUp />}
      <p class="hint">
        {form === 'log-in' ? 'New here? ' : 'You have an account? '}
        <button type="button" class="link" onClick={() => setForm(form === 'log-in' ? 'sign-up' : 'log-in')}>
          {form === 'log-in' ? 'Sign up' : 'Log in'}
        </button>
      </p>
    </div>
  );
}

function LogIn() {
  const [needsCode, setNeedsCode] = useState(false);
  const logIn = useAction(async (form: HTMLFormElement) => {
    const { email = '', password = '', code } = fieldsOf(form);
    try {
      await shop.logIn({ email, password, ...(code && { code }) });
    } catch (error) {
      if (!isApiError(error, 'second_factor_required')) throw error;
      setNeedsCode(true);
      return;
    }
    await loadUser();
  });
  const errors = fieldErrors(logIn.error);
  return (
    <form class="stack" aria-label="Log in" onSubmit={submits(logIn)}>
      <Field label="Email address" name="email" type="email" required autocomplete="email" error={errors.email} />
      <Field
        label="Password"
        name="password"
        type="password"
        required
        autocomplete="current-password"
        error={errors.password}
      />
      {needsCode && (
        <Field
          label="Code"
          name="code"
          required
          autocomplete="one-time-code"
          hint="From your authenticator app, or one of your recovery codes"
          error={errors.code}
        />
      )}
      <Problem error={logIn.error} />
      <ActionButton isRunning={logIn.isRunning}>Log in</ActionButton>
    </form>
  );
}

function SignUp() {
  const signUp = useAction(async (form: HTMLFormElement) => {
    const { name = '', email = '', phone = '', password = '' } = fieldsOf(form);
    await shop.register({ name, email, phone, password });
    await loadUser();
  });
  const { error } = signUp;
  const errors = fieldErrors(error);
  return (
    <form class="stack" aria-label="Sign up" onSubmit={submits(signUp)}>
      <Field label="Name" name="name" required autocomplete="name" maxLength={255} error={errors.name} />
      <Field
        label="Email address"
        name="email"
        type="email"
        required
        autocomplete="email"
        maxLength={254}
        error={errors.email}
      />
      <Field label="Phone number" name="phone" type="tel" required autocomplete="tel" error={errors.phone} />
      <Field
        label="Password"
        name="password"
        type="password"
        required
        minLength={8}
        maxLength={256}
        autocomplete="new-password"
        hint="At least 8 characters; a sentence is a good one"
        error={errors.password}
      />
      <Problem error={error} />
      <ActionButton isRunning={signUp.isRunning}>Sign up</ActionButton>
      <p class="hint">
        You get a store of your own, too: see <a href={linkTo('/sell')}>Sell</a>.
      </p>
    </form>
  );
}
