// The map as a picture: dragged, zoomed, walked through by keys. What is selected is read out.
import { ActionIcon, useComputedColorScheme } from '@mantine/core';
import { IconFocusCentered, IconMinus, IconPlus } from '@tabler/icons-react';
import { useCallback, useEffect, useMemo, useRef } from 'react';
import { describe, stepFrom, type Item, type Step } from './graph';
import { coloursOf, columnStep, itemAt, nodeWidth, paint, placeOf, rowHeight, type View } from './paint';
import css from './map.module.css';

export interface MapViewProps {
  items: Item[];
  focus: string;
  selected: number;
  onSelect: (index: number) => void;
  onPress: (item: Item) => void;  // opens, closes, shows more
}

export const steps: Record<string, Step> = { ArrowUp: 'up', ArrowDown: 'down', ArrowLeft: 'left', ArrowRight: 'right', Home: 'home', End: 'end' };

const margin = 24;
const zoomMin = 0.08;
const zoomMax = 1.6;
const clickSlopPx = 4;

// The canvas, its place and size, and a way to draw it again soon.
function usePainter({ items, focus, selected }: MapViewProps) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const view = useRef<View>({ x: margin, y: margin, zoom: 1 });
  const asked = useRef(0);
  const scheme = useComputedColorScheme('light');
  const byKey = useMemo(() => new Map(items.map((item, index) => [item.key, index])), [items]);
  const scene = useRef({ items, byKey, selected, focus });
  useEffect(() => {
    scene.current = { items, byKey, selected, focus };
  }, [items, byKey, selected, focus]);

  const draw = useCallback(() => {
    if (asked.current) return;
    asked.current = requestAnimationFrame(() => {
      asked.current = 0;
      const element = canvas.current;
      const context = element?.getContext('2d');
      if (!element || !context) return;
      const { clientWidth: width, clientHeight: height } = element;
      const ratio = window.devicePixelRatio || 1;
      if (element.width !== Math.round(width * ratio)) element.width = Math.round(width * ratio);
      if (element.height !== Math.round(height * ratio)) element.height = Math.round(height * ratio);
      const started = performance.now();
      paint(context, { ...scene.current, view: view.current, colours: coloursOf(element), width, height });
      element.dataset.drawMs = (performance.now() - started).toFixed(1);
    });
  }, []);
  useEffect(draw, [draw, items, selected, focus, scheme]);
  useEffect(() => {
    const observer = new ResizeObserver(draw);
    observer.observe(canvas.current!);
    void document.fonts?.ready.then(draw);
    return () => {
      observer.disconnect();
      cancelAnimationFrame(asked.current);
      asked.current = 0;
    };
  }, [draw]);
  return { canvas, view, draw };
}

type Painter = ReturnType<typeof usePainter>;

function zoomAt({ view, draw }: Painter, factor: number, x: number, y: number): void {
  const { zoom } = view.current;
  const next = Math.min(zoomMax, Math.max(zoomMin, zoom * factor));
  view.current = { zoom: next, x: x - (x - view.current.x) * next / zoom, y: y - (y - view.current.y) * next / zoom };
  draw();
}

// The wheel moves the map, with Ctrl it zooms; it must not scroll the page too.
function useWheel(painter: Painter): void {
  const { canvas, view, draw } = painter;
  const latest = useRef(painter);
  useEffect(() => {
    latest.current = painter;
  });
  useEffect(() => {
    const element = canvas.current!;
    const onWheel = (event: WheelEvent) => {
      event.preventDefault();
      const { left, top } = element.getBoundingClientRect();
      if (event.ctrlKey || event.metaKey) {
        zoomAt(latest.current, Math.exp(-event.deltaY / 300), event.clientX - left, event.clientY - top);
      } else {
        view.current = { ...view.current, x: view.current.x - event.deltaX, y: view.current.y - event.deltaY };
        draw();
      }
    };
    element.addEventListener('wheel', onWheel, { passive: false });
    return () => element.removeEventListener('wheel', onWheel);
  }, [canvas, view, draw]);
}

// Moves the map only as far as needed for the item to be in view.
function reveal({ canvas, view, draw }: Painter, item: Item): void {
  const { clientWidth: width, clientHeight: height } = canvas.current!;
  const { zoom } = view.current;
  const { x, y } = placeOf(item);
  const left = x * zoom + view.current.x;
  const top = y * zoom + view.current.y;
  const keep = (at: number, size: number, room: number) => at < margin ? margin - at : at + size > room - margin ? Math.min(room - margin - at - size, 0) : 0;
  view.current = { zoom, x: view.current.x + keep(left, nodeWidth * zoom, width), y: view.current.y + keep(top, rowHeight * zoom, height) };
  draw();
}

function fit({ canvas, view, draw }: Painter, items: Item[]): void {
  const { clientWidth: width, clientHeight: height } = canvas.current!;
  const columns = Math.max(...items.map((item) => item.depth)) * columnStep + nodeWidth;
  const rows = (Math.max(...items.map((item) => item.row)) + 1) * rowHeight;
  const zoom = Math.min(1, Math.max(zoomMin, Math.min((width - 2 * margin) / columns, (height - 2 * margin) / rows)));
  view.current = { zoom, x: margin, y: margin };
  draw();
}

function useDrag(painter: Painter, items: Item[], { onSelect, onPress }: MapViewProps) {
  const { view, draw } = painter;
  const drag = useRef<{ x: number; y: number; moved: boolean }>(undefined);
  return {
    onPointerDown: (event: React.PointerEvent<HTMLCanvasElement>) => {
      if (event.button !== 0) return;
      drag.current = { x: event.clientX, y: event.clientY, moved: false };
      event.currentTarget.setPointerCapture(event.pointerId);
    },
    onPointerMove: (event: React.PointerEvent<HTMLCanvasElement>) => {
      const held = drag.current;
      if (!held) return;
      const [dx, dy] = [event.clientX - held.x, event.clientY - held.y];
      if (!held.moved && Math.hypot(dx, dy) < clickSlopPx) return;
      drag.current = { x: event.clientX, y: event.clientY, moved: true };
      view.current = { ...view.current, x: view.current.x + dx, y: view.current.y + dy };
      draw();
    },
    onPointerUp: (event: React.PointerEvent<HTMLCanvasElement>) => {
      const held = drag.current;
      drag.current = undefined;
      if (!held || held.moved) return;
      const { left, top } = event.currentTarget.getBoundingClientRect();
      const { x, y, zoom } = view.current;
      const at = itemAt(items, (event.clientX - left - x) / zoom, (event.clientY - top - y) / zoom);
      if (at === undefined) return;
      onSelect(at);
      onPress(items[at]!);
    },
  };
}

export function MapCanvas(props: MapViewProps) {
  const { items, selected, onSelect, onPress } = props;
  const painter = usePainter(props);
  useWheel(painter);
  const drag = useDrag(painter, items, props);
  const zoomMiddle = (factor: number) => zoomAt(painter, factor, painter.canvas.current!.clientWidth / 2, painter.canvas.current!.clientHeight / 2);
  const onKeyDown = (event: React.KeyboardEvent) => {
    const step = steps[event.key];
    if (step) {
      const next = stepFrom(items, selected, step);
      onSelect(next);
      reveal(painter, items[next]!);
    } else if (event.key === 'Enter' || event.key === ' ') onPress(items[selected]!);
    else if (event.key === '+' || event.key === '-') zoomMiddle(event.key === '+' ? 1.25 : 0.8);
    else if (event.key === '0') fit(painter, items);
    else return;
    event.preventDefault();
  };
  return (
    <div className={css.picture}>
      <canvas ref={painter.canvas} className={css.canvas} tabIndex={0} role="application" aria-roledescription="map" data-testid="map-canvas" data-items={items.length}
        aria-label="Map: arrow keys walk, Enter opens, plus and minus zoom" aria-describedby="map-selected" onKeyDown={onKeyDown} {...drag} />
      <p id="map-selected" className={css.announce} role="status">{describe(items[selected] ?? items[0]!)}</p>
      <div className={css.zoom}>
        <ActionIcon variant="default" aria-label="Zoom in" onClick={() => zoomMiddle(1.25)}><IconPlus size={15} /></ActionIcon>
        <ActionIcon variant="default" aria-label="Zoom out" onClick={() => zoomMiddle(0.8)}><IconMinus size={15} /></ActionIcon>
        <ActionIcon variant="default" aria-label="Fit the map" onClick={() => fit(painter, items)}><IconFocusCentered size={15} /></ActionIcon>
      </div>
    </div>
  );
}
