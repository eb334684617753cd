// The query as groups and conditions. What it holds comes from use_builder.ts.
import { Button, NativeSelect } from '@mantine/core';
import { IconBracketsContain, IconPlus, IconTextPlus, IconX } from '@tabler/icons-react';
import { useCallback, useMemo, useState } from 'react';
import { Loading } from '@/shared/ui/states';
import { ConditionRow, TextRow } from './builder_row';
import type { FieldTable } from './hunt_queries';
import { changed, isGroup, levelsMax, levelsOf, newRow, without, wrapped, type Row } from './outline';
import { PipeList } from './pipe_list';
import type { Builder } from './use_builder';
import css from './builder.module.css';

export interface RowActions {
  change: (id: number, change: (row: Row) => Row) => void;
  remove: (id: number) => void;
  wrap: (id: number) => void;
  add: (group: number, row: Row) => void;
}

export interface RowContext {
  fields: FieldTable | undefined;
  pipes: string[];
  actions: RowActions;
  mistake: { row: number; message: string } | undefined;
  fresh: number | undefined;  // the row that was added last takes the focus
}

const groupChoices = [
  { value: 'all', label: 'All of' }, { value: 'any', label: 'Any of' }, { value: 'not any', label: 'None of' }, { value: 'not all', label: 'Not all of' },
];

function GroupHead({ row, context, root }: { row: Row; context: RowContext; root: boolean }) {
  const { actions } = context;
  const value = `${row.negated ? 'not ' : ''}${row.kind}`;
  return (
    <div className={css.groupHead}>
      <NativeSelect aria-label="How the conditions are joined" className={css.join} value={value} data={root ? groupChoices.slice(0, 2) : groupChoices}
        onChange={(event) => {
          const [kind, negated] = [event.currentTarget.value.endsWith('any') ? 'any' as const : 'all' as const, event.currentTarget.value.startsWith('not')];
          actions.change(row.id, (old) => ({ ...old, kind, negated }));
        }} />
      <span className={css.groupHint}>{row.children.length === 0 ? 'nothing yet: every event' : 'these:'}</span>
      {!root && (
        <button type="button" className={css.icon} aria-label="Remove the group" title="Remove the group" onClick={() => actions.remove(row.id)}>
          <IconX size={14} aria-hidden />
        </button>
      )}
    </div>
  );
}

function GroupBox({ row, context, level }: { row: Row; context: RowContext; level: number }) {
  const { actions } = context;
  const mayNest = level + 2 <= levelsMax;
  return (
    <div className={css.group} role="group" aria-label={`${groupChoices.find((choice) => choice.value === `${row.negated ? 'not ' : ''}${row.kind}`)!.label} these`}
      data-kind={row.kind} data-negated={row.negated || undefined}>
      <GroupHead row={row} context={context} root={level === 1} />
      {row.children.map((child) => (
        <RowBox key={child.id} row={child} context={context} level={level + 1} />
      ))}
      <div className={css.adders}>
        <Button size="compact-xs" variant="subtle" leftSection={<IconPlus size={13} />} onClick={() => actions.add(row.id, newRow({ kind: 'test' }))}>Condition</Button>
        {mayNest && (
          <Button size="compact-xs" variant="subtle" leftSection={<IconBracketsContain size={13} />}
            onClick={() => actions.add(row.id, newRow({ kind: row.kind === 'all' ? 'any' : 'all', children: [newRow({ kind: 'test' })] }))}>Group</Button>
        )}
        <Button size="compact-xs" variant="subtle" leftSection={<IconTextPlus size={13} />} onClick={() => actions.add(row.id, newRow({ kind: 'text' }))}>Text</Button>
      </div>
    </div>
  );
}

function RowBox({ row, context, level }: { row: Row; context: RowContext; level: number }) {
  const message = context.mistake?.row === row.id ? context.mistake.message : undefined;
  const body = isGroup(row) ? <GroupBox row={row} context={context} level={level} />
    : row.kind === 'text' ? <TextRow row={row} context={context} />
      : <ConditionRow row={row} context={context} mayWrap={level + 1 <= levelsMax} />;
  return (
    <div className={css.rowBox} data-wrong={message !== undefined || undefined}>
      {body}
      {message && <p className={css.rowMistake} role="alert">{message}</p>}
    </div>
  );
}

function useActions(builder: Builder): { actions: RowActions; fresh: number | undefined } {
  const { change } = builder;
  const [fresh, setFresh] = useState<number>();
  const edit = useCallback((how: (root: Row) => Row) => change((draft) => {
    const root = how(draft.root);
    return levelsOf(root) <= levelsMax ? { ...draft, root } : draft;
  }), [change]);
  const actions = useMemo<RowActions>(() => ({
    change: (id, how) => edit((root) => changed(root, id, how)),
    remove: (id) => edit((root) => without(root, id)),
    wrap: (id) => edit((root) => wrapped(root, id)),
    add: (group, row) => {
      setFresh(isGroup(row) ? row.children[0]?.id : row.id);
      edit((root) => changed(root, group, (old) => ({ ...old, children: [...old.children, row] })));
    },
  }), [edit]);
  return { actions, fresh };
}

export function QueryBuilder({ builder, fields, text }: { builder: Builder; fields: FieldTable | undefined; text: string }) {
  const { actions, fresh } = useActions(builder);
  const { draft, mistake, unreadable } = builder;
  if (unreadable) {
    return (
      <div className={css.unreadable} role="alert" data-testid="builder-unreadable">
        <p>The text has a mistake. Mend it as text, and it is shown here.</p>
        <pre>{unreadable.diagnostic?.rendered ?? unreadable.message}</pre>
      </div>
    );
  }
  if (!draft) return <Loading what="the conditions" />;
  const inRow = mistake?.row !== undefined && mistake.row !== draft.root.id ? { row: mistake.row, message: mistake.message } : undefined;
  const context: RowContext = { fields, pipes: draft.pipes, actions, mistake: inRow, fresh };
  return (
    <div className={css.builder} data-testid="query-builder">
      <GroupBox row={draft.root} context={context} level={1} />
      <PipeList pipes={draft.pipes} onChange={(pipes) => builder.change((old) => ({ ...old, pipes }))} />
      {mistake && !inRow && <p className={css.rowMistake} role="alert">{mistake.message}</p>}
      <pre className={css.preview} aria-label="The query as text" tabIndex={0}>{text || 'every event'}</pre>
    </div>
  );
}
