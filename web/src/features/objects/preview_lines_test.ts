import { describe, expect, it } from 'vitest';
import { nextOffset, previewLine, previewText } from './preview_lines';

describe('previewLine', () => {
  it('has place, pairs and text, in columns', () => {
    const whole = previewLine({ offset: 4096, hex: '000102030405060708090a0b0c0d0e0f', text: '................' });
    expect(whole).toBe('00001000  00 01 02 03 04 05 06 07  08 09 0a 0b 0c 0d 0e 0f  ................');
    const short = previewLine({ offset: 0, hex: '3c6831', text: '<h1' });
    expect(short.indexOf('<h1')).toBe(whole.indexOf('....'));
    expect(previewText([{ offset: 0, hex: '41', text: 'A' }, { offset: 16, hex: '42', text: 'B' }]).split('\n')).toHaveLength(2);
  });
});

describe('nextOffset', () => {
  it('ends where the content does', () => {
    expect(nextOffset(0, 4096, 5000)).toBe(4096);
    expect(nextOffset(4096, 5000, 5000)).toBeUndefined();
    expect(nextOffset(0, 0, 5000)).toBeUndefined();
  });
});
