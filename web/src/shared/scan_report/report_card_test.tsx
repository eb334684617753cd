import { MantineProvider } from '@mantine/core';
import { createElement } from 'react';
import { renderToStaticMarkup } from 'react-dom/server';
import { describe, expect, it } from 'vitest';
import type { Report } from './inner_objects';
import { ReportCard } from './report_card';

const hostile = '<img src=x onerror=alert(1)>';

function drawn(part: Partial<Report>): Document {
  const report: Report = {
    mime_type: 'application/zip', detections: [], objects: [], not_scanned: [], links: [], engines: ['yara 4.2.3 (rules 1a)'], finished: '', duration_ms: 1, ...part,
  };
  const markup = renderToStaticMarkup(createElement(MantineProvider, null, createElement(ReportCard, { report })));
  return new DOMParser().parseFromString(markup, 'text/html');
}

describe('ReportCard', () => {
  it('shows what files say as text, and no link that leads anywhere', () => {
    const page = drawn({
      links: ['http://bad.example/', 'javascript:alert(1)'],
      not_scanned: [hostile],
      objects: [
        { index: 0, parent: 0, name: 'a.zip', mime_type: 'application/zip', size_bytes: 9 },
        { index: 1, parent: 0, name: hostile, mime_type: hostile, size_bytes: 9, remark: hostile },
      ],
      detections: [{ engine: 'yara', engine_version: '4.2.3', rule: hostile, rule_set: hostile, importance: 'high', description: hostile, object: 1 }],
    });
    expect(page.querySelectorAll('a, img, script, iframe')).toHaveLength(0);
    expect(page.querySelector('[aria-label="Links in it"]')!.textContent).toContain('javascript:alert(1)');
    expect(page.querySelector('[aria-label="Copy link 2"]')).not.toBeNull();
    expect(page.querySelector('[data-inner="0"] [data-inner="1"] article')!.textContent).toContain(hostile);
    expect(page.querySelector('[aria-label="Not fully scanned"]')!.textContent).toContain(hostile);
  });

  it('has a word of every engine, and no warning where everything was scanned', () => {
    const page = drawn({});
    expect(page.querySelector('[aria-label="What each engine said"]')!.textContent).toBe('yara 4.2.3 (rules 1a)nothing detected');
    expect(page.querySelector('[aria-label="Not fully scanned"]')).toBeNull();
    expect(page.body.textContent).toContain('No engine detected anything');
  });
});
