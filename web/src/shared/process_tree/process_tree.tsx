// The process tree as a picture that expands, with its twin as a table. Whoever shows it hands over the first answer of
// the node; children of other processes are fetched here.
import { SegmentedControl } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { useMemo, useState } from 'react';
import { api, read, type ProcessTree as Tree } from '@/shared/api/client';
import { Failure } from '@/shared/ui/states';
import ui from '@/shared/ui/ui.module.css';
import { layoutTree, mergeNodes } from './layout';
import { ProcessDetails } from './process_details';
import { ProcessGraph } from './process_graph';
import { ProcessTable } from './process_table';
import css from './process_tree.module.css';

const childDepth = 1;

function toggled(set: ReadonlySet<string>, id: string): Set<string> {
  const next = new Set(set);
  if (!next.delete(id)) next.add(id);
  return next;
}

// What is known of the tree and which cards are folded.
function useTree(first: Tree, hostId: string) {
  const [nodes, setNodes] = useState(first.nodes);
  const [complete, setComplete] = useState<ReadonlySet<string>>(new Set());
  const [closed, setClosed] = useState<ReadonlySet<string>>(new Set());
  const expand = useMutation({
    mutationFn: (id: string) => read(api.GET('/processes/{entity_id}/tree', {
      params: { path: { entity_id: id }, query: { host_id: hostId || undefined, depth: childDepth } },
    })),
    onSuccess: (tree, id) => {
      const done = new Set(complete).add(id);
      if (!tree.truncated) setComplete(done);
      setNodes((known) => mergeNodes(known, tree.nodes, tree.truncated ? complete : done));
    },
  });
  return { nodes, closed, expand, toggle: (id: string) => setClosed((set) => toggled(set, id)) };
}

export function ProcessTree({ tree, hostId }: { tree: Tree; hostId: string }) {
  const { nodes, closed, expand, toggle } = useTree(tree, hostId);
  const [foldAncestors, setFoldAncestors] = useState<'fold' | 'show'>('fold');
  const [selected, setSelected] = useState(tree.focus);
  const [view, setView] = useState('picture');
  const layout = useMemo(() => layoutTree(nodes, tree.focus, { closed, foldAncestors }), [nodes, tree.focus, closed, foldAncestors]);
  const chosen = nodes.find((node) => node.entity_id === selected);

  return (
    <section className={ui.card} aria-label="Process tree">
      <div className={ui.cardHead}>
        <h2>Process tree</h2>
        <span className="dim">
          {nodes.length} {nodes.length === 1 ? 'process' : 'processes'}{tree.truncated && ', some left out'}
        </span>
        <span className={ui.spacer} />
        <SegmentedControl value={view} onChange={setView} aria-label="Show the tree as"
          data={[{ value: 'picture', label: 'Picture' }, { value: 'table', label: 'Table' }]} />
      </div>
      {expand.isError && <Failure error={expand.error} />}
      <div className={css.frame}>
        {view === 'picture' ? (
          <ProcessGraph layout={layout} focus={tree.focus} selected={selected} onSelect={setSelected}
            onToggle={toggle} onExpand={(id) => expand.mutate(id)} onShowAncestors={() => setFoldAncestors('show')} />
        ) : (
          <ProcessTable nodes={nodes} focus={tree.focus} selected={selected} onSelect={setSelected}
            onExpand={(id) => expand.mutate(id)} />
        )}
        <aside className={css.side} aria-label="Selected process" tabIndex={0}>
          {chosen && <ProcessDetails node={chosen} hostId={hostId} />}
        </aside>
      </div>
    </section>
  );
}
