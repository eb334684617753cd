// The map's twin as a tree of lines: the same items, for screen readers and for reading.
import { useVirtualizer } from '@tanstack/react-virtual';
import { useEffect, useRef } from 'react';
import { stepFrom, titleOf, type Item } from './graph';
import { steps, type MapViewProps } from './map_canvas';
import css from './map.module.css';

const lineHeight = 26;
const indentPx = 22;

function Line({ item }: { item: Item }) {
  if (item.kind === 'more') return <span className="dim">{item.count.toLocaleString('en')} more…</span>;
  const { node, link, open, state } = item.entry;
  return (
    <>
      <span className={css.mark} aria-hidden>{state === 'loading' ? '…' : open ? '−' : '+'}</span>
      <i className={css.dot} data-kind={node.kind} aria-hidden />
      <span className={css.lineTitle}>{titleOf(node)}</span>
      {node.pid && <span className="dim">{node.pid}</span>}
      {link && link.count > 1 && <span className="dim">×{link.count.toLocaleString('en')}</span>}
    </>
  );
}

export function MapList({ items, selected, onSelect, onPress }: MapViewProps) {
  const scroller = useRef<HTMLDivElement>(null);
  const virtual = useVirtualizer({ count: items.length, getScrollElement: () => scroller.current, estimateSize: () => lineHeight, overscan: 20 });
  useEffect(() => virtual.scrollToIndex(selected, { align: 'auto' }), [virtual, selected]);
  const onKeyDown = (event: React.KeyboardEvent) => {
    const step = steps[event.key];
    // A tree of lines is walked line by line.
    if (event.key === 'ArrowDown') onSelect(Math.min(selected + 1, items.length - 1));
    else if (event.key === 'ArrowUp') onSelect(Math.max(selected - 1, 0));
    else if (step) onSelect(stepFrom(items, selected, step));
    else if (event.key === 'Enter' || event.key === ' ') onPress(items[selected]!);
    else return;
    event.preventDefault();
  };
  return (
    <div ref={scroller} className={css.list} role="tree" aria-label="Map as a list" tabIndex={0} aria-activedescendant={`map-line-${selected}`} onKeyDown={onKeyDown}>
      <div role="presentation" className={css.lines} style={{ height: virtual.getTotalSize() }}>
        {virtual.getVirtualItems().map(({ index, start }) => {
          const item = items[index]!;
          return (
            <div key={item.key} id={`map-line-${index}`} role="treeitem" aria-level={item.depth + 1} aria-selected={index === selected}
              aria-expanded={item.kind === 'node' ? item.entry.open : undefined} className={css.line} data-selected={index === selected || undefined}
              style={{ height: lineHeight, transform: `translateY(${start}px)`, paddingLeft: 10 + item.depth * indentPx }}
              onClick={() => {
                onSelect(index);
                onPress(item);
              }}>
              {item.label && <span className={css.relation}>{item.label}</span>}
              <Line item={item} />
            </div>
          );
        })}
      </div>
    </div>
  );
}
