import { describe, expect, test } from 'vitest';
import { tacticName, techniqueName, type Attack } from './attack';

const attack: Attack = {
  imported: true, version: '19.0',
  tactics: [{ short_name: 'command-and-control', name: 'Command and Control' }],
  techniques: [
    { id: 'T1059', name: 'Command and Scripting Interpreter', tactics: ['execution'] },
    { id: 'T1086', name: 'PowerShell', tactics: ['execution'], replaced_by: 'T1059' },
  ],
};

describe('names of ATT&CK', () => {
  test('are those of the bundle', () => {
    expect(techniqueName(attack, 'T1059')).toBe('Command and Scripting Interpreter');
    expect(tacticName(attack, 'command-and-control')).toBe('Command and Control');
  });
  test('say what took the place of a technique', () => {
    expect(techniqueName(attack, 'T1086')).toBe('PowerShell, now T1059 Command and Scripting Interpreter');
  });
  test('are made up for tactics alone', () => {
    expect(techniqueName(undefined, 'T1059')).toBe('');
    expect(tacticName(undefined, 'lateral-movement')).toBe('Lateral movement');
    expect(tacticName(undefined, '')).toBe('No tactic');
  });
});
