import { describe, expect, it } from 'vitest';
import { exportQuery, fileNameOf } from './export_hunt';

describe('exportQuery', () => {
  it('names the columns that are shown', () => {
    expect(exportQuery('user.name = "a|b" | since 24h', ['@timestamp', 'host.name'])).toBe('user.name = "a|b" | fields @timestamp, host.name | since 24h');
    expect(exportQuery('| fields file.path', ['host.name'])).toBe('| fields host.name');
  });
  it('leaves figures as they are', () => {
    expect(exportQuery('| count by host.name', ['value', 'count'])).toBe('| count by host.name');
    expect(exportQuery('user.id = 0', [])).toBe('user.id = 0');
  });
});

describe('fileNameOf', () => {
  it('takes the name that the node gives, if it is a plain one', () => {
    expect(fileNameOf('attachment; filename="redoubt-20261125T100000Z.csv"', 'csv')).toBe('redoubt-20261125T100000Z.csv');
    expect(fileNameOf('attachment; filename="../x"', 'csv')).toBe('redoubt.csv');
    expect(fileNameOf(null, 'parquet')).toBe('redoubt.parquet');
  });
});
