// The house rules of the console, as a test: imports go shared → features → app, a feature imports no other, and no
// markup is ever made of data.
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';

const root = resolve(import.meta.dirname);
const files = readdirSync(root, { recursive: true, encoding: 'utf8' })
  .filter((name) => /\.tsx?$/.test(name) && !/_test\.tsx?$/.test(name) && !name.endsWith('generated.ts'));

function importsOf(file: string): string[] {
  const text = readFileSync(join(root, file), 'utf8');
  return [...text.matchAll(/(?:from|import)\s*\(?\s*'([^']+)'/g)].map((match) => match[1]!)
    .filter((target) => target.startsWith('.') || target.startsWith('@/'))
    .map((target) => target.startsWith('@/') ? target.slice(2) : relative(root, resolve(root, dirname(file), target)));
}

// 'shared', 'features/alerts', 'app'
function layerOf(path: string): string {
  const [first = '', second = ''] = path.split('/');
  return first === 'features' ? `features/${second}` : first;
}

function mayImport(from: string, to: string): boolean {
  if (from === to || to === 'shared') return true;
  return from === 'app';
}

describe('source tree', () => {
  test('has every file in a layer', () => {
    expect(files.length).toBeGreaterThan(10);
    expect(files.filter((file) => !/^(app|shared|features\/\w+)\//.test(file))).toEqual([]);
  });
  test('imports go shared → features → app', () => {
    const wrong = files.flatMap((file) => importsOf(file)
      .filter((target) => !mayImport(layerOf(file), layerOf(target)))
      .map((target) => `${file} imports ${target}`));
    expect(wrong).toEqual([]);
  });
  test('never renders markup from data', () => {
    const wrong = files.filter((file) => /dangerouslySetInnerHTML|\.innerHTML|insertAdjacentHTML|document\.write/
      .test(readFileSync(join(root, file), 'utf8')));
    expect(wrong).toEqual([]);
  });
});
