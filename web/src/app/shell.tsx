// Header, navigation, and the live stream of alerts, which runs on every page.
import { ActionIcon, Menu, Tooltip, useComputedColorScheme, useMantineColorScheme } from '@mantine/core';
import { IconChevronDown, IconLogout, IconMoon, IconSun, IconUserCircle } from '@tabler/icons-react';
import { NavLink } from 'react-router';
import { useLiveAlerts, useOpenAlertCount } from '@/features/alerts/live_alerts';
import type { Session } from '@/shared/api/client';
import { useLogOut } from '@/shared/api/session';
import type { StreamState } from '@/shared/live/event_stream';
import css from './shell.module.css';

export function Mark({ size = 24 }: { size?: number }) {
  return (
    <svg width={size} height={size} viewBox="0 0 32 32" aria-hidden>
      <path fill="#0c766d" d="M4 3l6 3h12l6-3-3 6v14l3 6-6-3H10l-6 3 3-6V9z" />
      <path fill="#fff" d="M16 10l5 2.2v4c0 3.200-2.100 5.300-5 6.300-2.900-1-5-3.100-5-6.300v-4z" />
    </svg>
  );
}

function ThemeToggle() {
  // Stopping transitions meanwhile would take a style element, which the policy forbids.
  const { setColorScheme } = useMantineColorScheme({ keepTransitions: true });
  const dark = useComputedColorScheme('light') === 'dark';
  const label = dark ? 'Use the light theme' : 'Use the dark theme';
  return (
    <Tooltip label={label}>
      <ActionIcon variant="subtle" color="gray" size={30} aria-label={label} onClick={() => setColorScheme(dark ? 'light' : 'dark')}>
        {dark ? <IconSun size={17} stroke={1.7} color="var(--mantine-color-text)" /> : <IconMoon size={17} stroke={1.7} color="var(--mantine-color-text)" />}
      </ActionIcon>
    </Tooltip>
  );
}

const roleNames: Record<Session['role'], string> = {
  administrator: 'Administrator', senior_officer: 'Senior security officer', officer: 'Security officer', auditor: 'Auditor',
};

function UserMenu({ session }: { session: Session }) {
  const logOut = useLogOut();
  return (
    <Menu position="bottom-end" width={200} shadow="md">
      <Menu.Target>
        <button type="button" className={css.user} aria-label={`Account ${session.user}`}>
          <IconUserCircle size={18} stroke={1.6} aria-hidden /> {session.user} <IconChevronDown size={13} aria-hidden />
        </button>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>{roleNames[session.role]}</Menu.Label>
        <Menu.Item leftSection={<IconLogout size={15} />} onClick={() => logOut.mutate()}>Log out</Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}

const liveNames: Record<StreamState, string> = {
  live: 'Live', connecting: 'Connecting', waiting: 'Reconnecting', closed: 'Paused',
};

export function Shell({ session, children }: { session: Session; children: React.ReactNode }) {
  const live = useLiveAlerts();
  const open = useOpenAlertCount();
  return (
    <div className={css.shell}>
      <a href="#main" className={css.skip}>Skip to the page</a>
      <header className={css.header}>
        <NavLink to="/alerts" className={css.brand}><Mark /> Redoubt</NavLink>
        <nav className={css.nav} aria-label="Pages">
          <NavLink to="/alerts" className={css.link!}>
            Alerts {open > 0 && <span className={css.count} aria-label={`${open} open`}>{open}</span>}
          </NavLink>
          <NavLink to="/hunt" className={css.link!}>Hunt</NavLink>
          <NavLink to="/rules" className={css.link!}>Rules</NavLink>
          <NavLink to="/hosts" className={css.link!}>Hosts</NavLink>
          <NavLink to="/objects" className={css.link!}>Objects</NavLink>
          <NavLink to="/yara" className={css.link!}>YARA</NavLink>
          <NavLink to="/external-systems" className={css.link!}>External systems</NavLink>
          <NavLink to="/reputation" className={css.link!}>Reputation</NavLink>
        </nav>
        <span className={css.spacer} />
        <span className={css.live} data-state={live} role="status" title="New alerts appear by themselves while this is live">
          <i aria-hidden /> {liveNames[live]}
        </span>
        <div className={css.right}>
          <ThemeToggle />
          <UserMenu session={session} />
        </div>
      </header>
      <main id="main" className={css.main}>{children}</main>
    </div>
  );
}
