// The console in Debian's Chromium, against a product that is already running; see console.spec.ts for what it needs.
import { defineConfig } from '@playwright/test';

export default defineConfig({
  testDir: '.',
  testMatch: process.env.REDOUBT_BENCH ? '*.bench.ts' : '*.spec.ts',
  outputDir: '../../test-results/e2e',
  workers: 1,
  timeout: 120_000,
  expect: { timeout: 10_000 },
  forbidOnly: true,
  reporter: [['list']],
  use: {
    baseURL: process.env.REDOUBT_URL,
    // The node's certificate is signed by its own authority, which the browser does not know.
    ignoreHTTPSErrors: true,
    viewport: { width: 1440, height: 900 },
    colorScheme: 'light',
    contextOptions: { reducedMotion: 'reduce' },
    locale: 'en-GB',
    screenshot: 'only-on-failure',
    trace: 'retain-on-failure',
    launchOptions: { executablePath: process.env.REDOUBT_CHROMIUM ?? '/usr/bin/chromium', args: ['--no-sandbox'] },
  },
});
