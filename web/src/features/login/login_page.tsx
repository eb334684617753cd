import { Button, PasswordInput, TextInput } from '@mantine/core';
import { useState } from 'react';
import { useLogIn } from '@/shared/api/session';
import css from './login_page.module.css';

export function LoginPage() {
  const logIn = useLogIn();
  const [user, setUser] = useState('');
  const [password, setPassword] = useState('');
  const submit = (event: React.FormEvent) => {
    event.preventDefault();
    logIn.mutate({ user, password });
  };
  return (
    <main className={css.page}>
      <form className={css.card} onSubmit={submit}>
        <div className={css.brand}>
          <svg width="34" height="34" viewBox="0 0 32 32" aria-hidden>
            <path fill="#0c766d" d="M4 3l6 3h12l6-3-3 6v14l3 6-6-3H10l-6 3 3-6V9z" />
            <path fill="#fff" d="M16 10l5 2.2v4c0 3.200-2.100 5.300-5 6.300-2.900-1-5-3.100-5-6.300v-4z" />
          </svg>
          <h1>Redoubt</h1>
        </div>
        <TextInput label="Account" size="sm" autoFocus required autoComplete="username" withAsterisk={false} value={user}
          onChange={(event) => setUser(event.currentTarget.value)} />
        <PasswordInput label="Password" size="sm" required autoComplete="current-password" withAsterisk={false} value={password}
          onChange={(event) => setPassword(event.currentTarget.value)} />
        {logIn.isError && <p className={css.error} role="alert">{logIn.error.message}</p>}
        <Button type="submit" size="sm" fullWidth loading={logIn.isPending}>Log in</Button>
      </form>
    </main>
  );
}
