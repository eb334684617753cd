import { expect, test } from 'vitest';
import { splitLines } from './client';

async function linesOf(parts: string[]): Promise<string[]> {
  const lines: string[] = [];
  const texts = new ReadableStream<string>({
    start(controller) {
      for (const part of parts) controller.enqueue(part);
      controller.close();
    },
  });
  for await (const line of splitLines(texts)) lines.push(line);
  return lines;
}

test('lines are whole however they arrive', async () => {
  expect(await linesOf(['a\nb', 'c\n', '', 'd', 'e', '\n'])).toEqual(['a', 'bc', 'de']);
});

test('what is cut off is no line', async () => {
  expect(await linesOf(['a\n{"rows":'])).toEqual(['a']);
  expect(await linesOf([])).toEqual([]);
});
