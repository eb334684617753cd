import '@fontsource-variable/inter/wght.css';
import '@fontsource-variable/jetbrains-mono/wght.css';
import '@mantine/core/styles.css';
import '@/shared/theme/global.css';
import { MantineProvider } from '@mantine/core';
import { QueryClientProvider } from '@tanstack/react-query';
import { createRoot } from 'react-dom/client';
import { BrowserRouter } from 'react-router';
import { onSessionEnded } from '@/shared/api/client';
import { sessionKey } from '@/shared/api/session';
import { theme } from '@/shared/theme/theme';
import { App } from './app';
import { queries } from './queries';

onSessionEnded(() => queries.setQueryData(sessionKey, null));

createRoot(document.getElementById('root')!).render(
  // Mantine would write its variables and classes as style elements; the policy forbids those, its style sheet has them.
  <MantineProvider theme={theme} defaultColorScheme="auto" withCssVariables={false} withGlobalClasses={false}>
    <QueryClientProvider client={queries}>
      <BrowserRouter>
        <App />
      </BrowserRouter>
    </QueryClientProvider>
  </MantineProvider>,
);
