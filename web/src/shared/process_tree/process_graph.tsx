import { Handle, Position, ReactFlow, Background, Controls, type Edge, type Node, type NodeProps, type ReactFlowInstance } from '@xyflow/react';
import '@xyflow/react/dist/base.css';
import './react_flow.css';
import { useEffect, useMemo, useRef, useState } from 'react';
import { clock } from '@/shared/ui/time';
import { cardHeight, cardWidth, columnStep, type Card, type Layout } from './layout';
import css from './process_tree.module.css';

export interface GraphProps {
  layout: Layout;
  focus: string;
  selected: string;
  onSelect: (id: string) => void;
  onToggle: (id: string) => void;
  onExpand: (id: string) => void;
  onShowAncestors: () => void;
}

interface CardData extends Record<string, unknown> {
  card: Card;
  isFocus: boolean;
  isSelected: boolean;
  actions: Pick<GraphProps, 'onSelect' | 'onToggle' | 'onExpand'>;
}
type CardNode = Node<CardData, 'process'>;

const readableZoom = 0.78;
const padding = 28;

// The one button at a card's right edge: fetches children, shows or hides them.
function OpenButton({ card, actions }: Pick<CardData, 'card' | 'actions'>) {
  const name = card.node.name;
  const press = (act: () => void) => (event: React.MouseEvent) => {
    event.stopPropagation();
    act();
  };
  if (card.hiddenChildren > 0) {
    return <button type="button" className={`${css.open} nodrag nopan`} aria-label={`Show children of ${name}`}
      onClick={press(() => actions.onToggle(card.id))}>+{card.hiddenChildren}</button>;
  }
  if (card.node.children_more) {
    return <button type="button" className={`${css.open} nodrag nopan`} aria-label={`Load children of ${name}`}
      onClick={press(() => actions.onExpand(card.id))}>+</button>;
  }
  if (card.shownChildren > 0) {
    return <button type="button" className={`${css.open} nodrag nopan`} aria-label={`Hide children of ${name}`}
      onClick={press(() => actions.onToggle(card.id))}>−</button>;
  }
  return null;
}

function ProcessCard({ data }: NodeProps<CardNode>) {
  const { card, isFocus, isSelected, actions } = data;
  const { node } = card;
  const image = node.images.at(-1);
  const earlier = node.images.slice(0, -1).map((one) => one.executable.split('/').at(-1)).filter((name) => name !== node.name);
  const look = [css.card, card.onPath && css.path, isFocus && css.focus, isSelected && css.selected].filter(Boolean).join(' ');
  return (
    <>
      <Handle type="target" position={Position.Left} className={css.handle} />
      <div role="button" tabIndex={0} className={look} aria-pressed={isSelected} data-testid="process-card"
        aria-label={`Process ${node.name}, ${node.pid}`}
        onClick={() => actions.onSelect(card.id)}
        onKeyDown={(event) => (event.key === 'Enter' || event.key === ' ') && actions.onSelect(card.id)}>
        <span className={css.top}>
          <span className={css.name}>
            {earlier.length > 0 && <span className={css.chain}>{earlier.at(-1)} → </span>}{node.name}
          </span>
          <span className={css.pid}>{node.pid}</span>
        </span>
        <span className={css.command} title={image?.command_line}>{image?.command_line || image?.executable}</span>
        <span className={css.bottom}>
          <span>{node.user}</span>
          {image?.sha256 && <span className="mono" title={image.sha256}>{image.sha256.slice(0, 8)}</span>}
          <span>{clock(node.start)}{node.end && ` · exit ${node.exit_code ?? '?'}`}</span>
        </span>
      </div>
      <OpenButton card={card} actions={actions} />
      <Handle type="source" position={Position.Right} className={css.handle} />
    </>
  );
}

const nodeTypes = { process: ProcessCard };

// Shows everything where that stays readable; else the process in question at a readable size.
function aim(flow: ReactFlowInstance<CardNode>, layout: Layout, focus: string, box: DOMRect) {
  const right = Math.max(...layout.cards.map((card) => card.x + cardWidth)) + 20;
  const left = Math.min(...layout.cards.map((card) => card.x));
  const top = Math.min(...layout.cards.map((card) => card.y));
  const bottom = Math.max(...layout.cards.map((card) => card.y + cardHeight));
  const fits = Math.min((box.width - 2 * padding) / (right - left), (box.height - 2 * padding) / (bottom - top));
  if (fits >= readableZoom) {
    const zoom = Math.min(fits, 1);
    void flow.setViewport({
      zoom,
      x: (box.width - (right - left) * zoom) / 2 - left * zoom,
      y: (box.height - (bottom - top) * zoom) / 2 - top * zoom,
    });
    return;
  }
  // As many descendants as fit beside the process in question and its parent.
  const card = layout.cards.find((one) => one.id === focus) ?? layout.cards[0]!;
  const zoom = readableZoom + 0.06;
  const wide = (box.width - 2 * padding) / zoom;
  const from = Math.max(left, Math.min(right - wide, card.x - columnStep));
  const fitsDown = (bottom - top) * zoom <= box.height - padding;
  const middle = fitsDown ? (top + bottom) / 2 : card.y + cardHeight / 2;
  void flow.setViewport({ zoom, x: padding - from * zoom, y: box.height / 2 - middle * zoom });
}

export function ProcessGraph({ layout, focus, selected, onSelect, onToggle, onExpand, onShowAncestors }: GraphProps) {
  const nodes = useMemo<CardNode[]>(() => layout.cards.map((card) => ({
    id: card.id, type: 'process', position: { x: card.x, y: card.y }, width: cardWidth, height: cardHeight,
    data: { card, isFocus: card.id === focus, isSelected: card.id === selected, actions: { onSelect, onToggle, onExpand } },
  })), [layout, focus, selected, onSelect, onToggle, onExpand]);
  const edges = useMemo<Edge[]>(() => layout.edges.map((edge) => ({
    id: `${edge.from}>${edge.to}`, source: edge.from, target: edge.to, type: 'smoothstep', focusable: false,
    className: edge.onPath ? 'on-path' : '',
  })), [layout]);
  const canvas = useRef<HTMLDivElement>(null);
  const [flow, setFlow] = useState<ReactFlowInstance<CardNode>>();
  // Aims anew when older ancestors are shown, and leaves the picture alone when a card opens.
  const aimed = useRef(-1);
  useEffect(() => {
    if (!flow || !canvas.current || layout.cards.length === 0 || aimed.current === layout.folded.length) return;
    aimed.current = layout.folded.length;
    aim(flow, layout, focus, canvas.current.getBoundingClientRect());
  }, [flow, layout, focus]);

  return (
    <div ref={canvas} className={css.canvas} data-testid="process-picture">
      {layout.folded.length > 0 && (
        <button type="button" className={css.more} onClick={onShowAncestors}>
          ← {layout.folded.length} older ancestors: {layout.folded.map((node) => node.name).join(' → ')}
        </button>
      )}
      <ReactFlow nodes={nodes} edges={edges} nodeTypes={nodeTypes} minZoom={0.15} maxZoom={1.6}
        onInit={setFlow}
        nodesDraggable={false} nodesConnectable={false} nodesFocusable={false} elementsSelectable={false}
        zoomOnDoubleClick={false} zoomOnScroll={false} panOnScroll={false} preventScrolling={false}
        onlyRenderVisibleElements={layout.cards.length > 300} proOptions={{ hideAttribution: true }}>
        <Background gap={22} size={1} />
        <Controls showInteractive={false} position="bottom-left" />
      </ReactFlow>
    </div>
  );
}
