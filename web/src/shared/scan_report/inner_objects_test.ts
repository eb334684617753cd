import { describe, expect, it } from 'vitest';
import type { ScanObject } from '@/shared/api/client';
import { engineWords, innerTree, isPartial, type InnerNode, type Report } from './inner_objects';

const inner = (index: number, parent: number, remark?: string) =>
  ({ index, parent, name: `n${index}`, mime_type: 'text/plain', size_bytes: 1, ...(remark && { remark }) });
const found = (object: number, engine = 'yara', rule = 'Eicar') =>
  ({ engine, engine_version: '4', rule, rule_set: 'r', importance: 'high' as const, description: '', object });

function report(part: Partial<Report>): Report {
  return { mime_type: '', detections: [], objects: [], not_scanned: [], links: [], engines: [], finished: '', duration_ms: 1, ...part };
}

const outline = (node: InnerNode): string =>
  node.object.name + '!'.repeat(node.detections.length) + (node.children.length ? `(${node.children.map(outline).join(' ')})` : '');

describe('innerTree', () => {
  it('is none where nothing was unpacked', () => expect(innerTree(report({ detections: [found(0)] }))).toBeUndefined());

  it('has each object in its container, with what was detected in it', () => {
    const tree = innerTree(report({ objects: [inner(0, 0), inner(1, 0), inner(2, 1), inner(3, 0)], detections: [found(2), found(2), found(9)] }))!;
    expect(outline(tree.root)).toBe('n0!(n1(n2!!) n3)');
    expect(tree.leftOut).toBe(0);
  });

  it('has no circle, whatever the parents are', () => {
    const tree = innerTree(report({ objects: [inner(0, 5), inner(1, 2), inner(2, 2), inner(3, -1)] }))!;
    expect(outline(tree.root)).toBe('n0(n1 n2 n3)');
  });

  it('keeps what something was detected in or remarked on when it is cut', () => {
    const objects = [inner(0, 0), ...Array.from({ length: 50 }, (_, i) => inner(i + 1, 0)), inner(51, 50), inner(52, 0, 'encrypted')];
    const tree = innerTree(report({ objects, detections: [found(51)] }), 5)!;
    expect(outline(tree.root)).toBe('n0(n1 n50(n51!) n52)');
    expect(tree.leftOut).toBe(48);
  });
});

describe('engineWords', () => {
  it('names every engine, also one that found nothing and one that is not listed', () => {
    const words = engineWords(report({ engines: ['yara 4.2.3 (rules 1a)', 'clamav 1.4'], detections: [found(0), found(1), found(0, 'reputation', 'bad hash')] }));
    expect(words).toEqual([
      { engine: 'yara 4.2.3 (rules 1a)', rules: ['Eicar'] }, { engine: 'clamav 1.4', rules: [] }, { engine: 'reputation', rules: ['bad hash'] },
    ]);
  });
});

describe('isPartial', () => {
  it('goes by what was not scanned', () => {
    const object = { verdict: 'not detected' } as ScanObject;
    expect(isPartial(object)).toBe(false);
    expect(isPartial({ ...object, report: report({}) })).toBe(false);
    expect(isPartial({ ...object, report: report({ not_scanned: ['a: encrypted'] }) })).toBe(true);
  });
});
