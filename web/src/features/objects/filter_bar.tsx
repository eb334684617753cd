import { Button, Select, TextInput } from '@mantine/core';
import { IconSearch } from '@tabler/icons-react';
import { useState, type FormEvent } from 'react';
import { isNarrowed, verdictChoices, type ObjectFilters } from './filters';
import css from './objects.module.css';

// Texts count when they are whole: on Enter. Given a key of the filters, it shows those that the address has.
export function FilterBar({ filters, onChange }: { filters: ObjectFilters; onChange: (filters: ObjectFilters) => void }) {
  const [typed, setTyped] = useState(filters);
  const text = (key: 'name' | 'sha256' | 'submitted_by') => ({
    value: typed[key],
    onChange: (event: { currentTarget: { value: string } }) => {
      const { value } = event.currentTarget;
      setTyped((before) => ({ ...before, [key]: value }));
    },
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    onChange({ ...typed, name: typed.name.trim(), sha256: typed.sha256.trim().toLowerCase(), submitted_by: typed.submitted_by.trim() });
  };
  return (
    <form className={css.filters} role="search" aria-label="Filter objects" onSubmit={submit}>
      <TextInput aria-label="Name" placeholder="Name" {...text('name')} />
      <TextInput aria-label="SHA-256" placeholder="SHA-256" spellCheck={false} maxLength={64} {...text('sha256')} />
      <TextInput aria-label="Submitted by" placeholder="Submitted by" {...text('submitted_by')} />
      <Select aria-label="Verdict" placeholder="Any verdict" clearable w={150} data={verdictChoices} value={filters.verdict || null}
        onChange={(value) => onChange({ ...filters, verdict: (value ?? '') as ObjectFilters['verdict'] })} />
      <Button type="submit" variant="default" leftSection={<IconSearch size={14} />}>Filter</Button>
      {isNarrowed(filters) && (
        <Button variant="subtle" onClick={() => onChange({ name: '', sha256: '', submitted_by: '', verdict: '' })}>Clear</Button>
      )}
    </form>
  );
}
