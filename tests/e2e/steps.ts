// What people do in the console, for whoever drives it.
import { expect, type Page } from '@playwright/test';

// Like a person: the page may still be taking the focus for itself after navigation, so click again and type again.
export async function typeQuery(page: Page, text: string) {
  const editor = page.getByRole('textbox', { name: 'Hunting query' });
  await expect(async () => {
    await editor.click();
    await expect(editor).toBeFocused({ timeout: 1000 });
    await page.keyboard.press('Control+a');
    await page.keyboard.press('Delete');
    await page.keyboard.insertText(text);
    await expect(editor).toHaveText(text, { timeout: 1000 });
  }).toPass({ timeout: 15_000 });
}

export async function logIn(page: Page, password: string) {
  await page.getByRole('textbox', { name: 'Password' }).fill(password);
  await page.getByRole('button', { name: 'Log in' }).click();
}
