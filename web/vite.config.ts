/// <reference types="vitest/config" />
import { fileURLToPath } from 'node:url';
import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

// The content security policy of the node allows scripts, styles and fonts from itself alone: nothing is inlined.
export default defineConfig({
  plugins: [react()],
  resolve: { alias: { '@': fileURLToPath(new URL('./src', import.meta.url)) } },
  build: { assetsInlineLimit: 0, chunkSizeWarningLimit: 700, sourcemap: false },
  server: { proxy: { '/api': { target: process.env.REDOUBT_URL ?? 'https://127.0.0.1:8443', secure: false } } },
  test: { environment: 'happy-dom', include: ['src/**/*_test.{ts,tsx}'] },
});
