// One condition of the builder: field, operator, values; or one that is written as text.
import { Autocomplete, NativeSelect, TagsInput, Textarea, TextInput } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { IconBracketsContain, IconX } from '@tabler/icons-react';
import { useMemo, useState } from 'react';
import { useSeenValues, type FieldTable } from './hunt_queries';
import { choiceOf, choicesFor, fieldNamed, shownValue, typedValues, withField, withOperator, type FieldType, type Row } from './outline';
import type { RowContext } from './query_builder';
import css from './builder.module.css';

const typingMs = 250;
const fieldsShownMax = 40;
// More values than this stand in a box of lines.
const tagsMax = 40;
// A list that is pasted is a value a line.
const pastedLines = ['\n'];

function NotButton({ row, context }: { row: Row; context: RowContext }) {
  return (
    <button type="button" className={css.not} aria-pressed={row.negated} aria-label="Not this condition"
      title="NOT: everything else, events without the field too"
      onClick={() => context.actions.change(row.id, (old) => ({ ...old, negated: !old.negated }))}>not</button>
  );
}

function RowButtons({ row, context, mayWrap }: { row: Row; context: RowContext; mayWrap: boolean }) {
  return (
    <span className={css.rowButtons}>
      {mayWrap && (
        <button type="button" className={css.icon} aria-label="Put into a group" title="Put into a group" onClick={() => context.actions.wrap(row.id)}>
          <IconBracketsContain size={14} aria-hidden />
        </button>
      )}
      <button type="button" className={css.icon} aria-label="Remove the condition" title="Remove the condition" onClick={() => context.actions.remove(row.id)}>
        <IconX size={14} aria-hidden />
      </button>
    </span>
  );
}

function useFieldNames(fields: FieldTable | undefined) {
  return useMemo(() => {
    const about = new Map<string, string>();
    for (const field of fields?.fields ?? []) about.set(field.name, field.help);
    for (const field of fields?.fields ?? []) for (const alias of field.aliases) if (!about.has(alias)) about.set(alias, field.name);
    return { names: [...about.keys()], about };
  }, [fields]);
}

function FieldBox({ row, context }: { row: Row; context: RowContext }) {
  const { names, about } = useFieldNames(context.fields);
  return (
    <Autocomplete aria-label="Field" className={css.field} placeholder="field" value={row.field} data={names} limit={fieldsShownMax} maxDropdownHeight={280}
      autoFocus={context.fresh === row.id} selectFirstOptionOnChange={false} comboboxProps={{ width: 380, position: 'bottom-start', transitionProps: { duration: 0 } }}
      renderOption={({ option }) => (
        <span className={css.option}><span className="mono">{option.value}</span><span className={css.optionHelp}>{about.get(option.value)}</span></span>
      )}
      onChange={(name) => context.actions.change(row.id, (old) => withField(old, name, context.fields))} />
  );
}

// What to choose from: the event types by the table, else what was seen.
function useSuggestions(row: Row, context: RowContext, search: string, focused: boolean) {
  const field = fieldNamed(context.fields, row.field);
  const isKind = field?.name === 'event.type';
  const [typed] = useDebouncedValue(search, typingMs);
  const suggests = focused && !isKind && field !== undefined && field.type !== 'time' && field.name !== 'attributes' && row.operator !== 'MATCHES';
  const seen = useSeenValues(row.field, typed, context.pipes, suggests);
  return useMemo(() => {
    const counts = new Map<string, string>();
    if (isKind) for (const type of context.fields?.event_types ?? []) counts.set(type.name, type.help);
    else if (suggests) {
      for (const { value, count } of seen.data ?? []) {
        if (value === null || value === '') continue;
        const shown = shownValue({ kind: 'text', text: String(value) }, row.operator, field?.type);
        counts.set(shown, `${count.toLocaleString('en')} ${count === 1 ? 'event' : 'events'}`);
      }
    }
    return counts;
  }, [isKind, suggests, seen.data, context.fields, row.operator, field?.type]);
}

function ValueBox({ row, context, type }: { row: Row; context: RowContext; type: FieldType | undefined }) {
  const [search, setSearch] = useState('');
  const [focused, setFocused] = useState(false);
  const suggestions = useSuggestions(row, context, search, focused);
  const shown = row.values.map((value) => shownValue(value, row.operator, type));
  const set = (texts: string[]) => context.actions.change(row.id, (old) => ({ ...old, values: typedValues(texts, old, type) }));
  if (shown.length > tagsMax) {
    return (
      <Textarea aria-label="Values, one a line" className={css.values} autosize minRows={3} maxRows={8} value={shown.join('\n')}
        description={`${shown.length.toLocaleString('en')} values, one a line`}
        onChange={(event) => set([...new Set(event.currentTarget.value.split('\n').filter((line) => line !== ''))])} />
    );
  }
  return (
    <TagsInput aria-label="Values" className={css.values} placeholder={shown.length === 0 ? placeholderOf(type) : undefined} value={shown} onChange={set} splitChars={pastedLines} isDuplicate={(value, all) => all.includes(value)}
      searchValue={search} onSearchChange={setSearch} onFocus={() => setFocused(true)} onBlur={() => setFocused(false)} acceptValueOnBlur
      data={[...suggestions.keys()].filter((value) => !shown.includes(value))} maxDropdownHeight={260}
      comboboxProps={{ transitionProps: { duration: 0 } }}
      renderOption={({ option }) => (
        <span className={css.option}><span className="mono">{option.value}</span><span className={css.optionHelp}>{suggestions.get(option.value)}</span></span>
      )} />
  );
}

function placeholderOf(type: FieldType | undefined): string {
  switch (type) {
    case 'integer': return '443, 0x1F, 10KB';
    case 'time': return '2026-01-31, now-7d';
    case 'ip': return '10.0.0.1, 10.0.0.0/8';
    case 'hash': return 'hexadecimal digits';
    default: return 'value; Enter adds another';
  }
}

export function ConditionRow({ row, context, mayWrap }: { row: Row; context: RowContext; mayWrap: boolean }) {
  const field = fieldNamed(context.fields, row.field);
  const choices = choicesFor(field, row);
  return (
    <div className={css.row} role="group" aria-label={`Condition on ${row.field || 'a field'}`} data-testid="condition">
      <NotButton row={row} context={context} />
      <FieldBox row={row} context={context} />
      <NativeSelect aria-label="Operator" className={css.operator} value={choiceOf(row).value} data={choices.map(({ value, label }) => ({ value, label }))}
        onChange={(event) => {
          const choice = choices.find((one) => one.value === event.currentTarget.value);
          if (choice) context.actions.change(row.id, (old) => withOperator(old, choice, field?.type));
        }} />
      {row.operator !== 'EXISTS' && (
        <>
          {(row.values.length > 1 || row.quantifier) && (
            <NativeSelect aria-label="How many of the values" className={css.quantifier} value={row.quantifier ?? ''}
              data={[{ value: '', label: row.opposite ? 'none of' : 'any of' }, { value: 'ANY', label: row.opposite ? 'not all of' : 'any of (ANY)' }, { value: 'ALL', label: row.opposite ? 'none of (ALL)' : 'all of' }]}
              onChange={(event) => {
                const quantifier = (event.currentTarget.value || undefined) as Row['quantifier'];
                context.actions.change(row.id, (old) => ({ ...old, quantifier }));
              }} />
          )}
          <ValueBox row={row} context={context} type={field?.type} />
        </>
      )}
      <RowButtons row={row} context={context} mayWrap={mayWrap} />
    </div>
  );
}

export function TextRow({ row, context }: { row: Row; context: RowContext }) {
  return (
    <div className={css.row} role="group" aria-label="Condition as text">
      <NotButton row={row} context={context} />
      <TextInput aria-label="Condition as text" className={css.written} value={row.text} placeholder={'file.path LIKE "/tmp/*" OR user.name = "root"'} autoFocus={context.fresh === row.id}
        onChange={(event) => {
          const text = event.currentTarget.value;
          context.actions.change(row.id, (old) => ({ ...old, text }));
        }} />
      <RowButtons row={row} context={context} mayWrap={false} />
    </div>
  );
}
