// Draws the shown items of a map on a canvas. Only what is in view is drawn; texts are drawn as characters, never as markup.
import { shortTitle, type Item } from './graph';

export const rowHeight = 26;
export const nodeWidth = 214;
export const columnStep = 322;
const nodeHeight = 20;
const radius = 4;
const charWidth = 6.7;
const readableZoom = 0.55;

export interface View {
  x: number;  // of the map's origin on the canvas
  y: number;
  zoom: number;
}

export interface Colours {
  text: string;
  dim: string;
  border: string;
  surface: string;
  accent: string;
  selected: string;
  danger: string;
  kinds: Record<string, string>;
}

export function coloursOf(element: Element): Colours {
  const style = getComputedStyle(element);
  const of = (name: string) => style.getPropertyValue(name).trim();
  return {
    text: of('--mantine-color-text'), dim: of('--mantine-color-dimmed'), border: of('--border-strong'), surface: of('--surface'),
    accent: of('--accent'), selected: of('--surface-selected'), danger: of('--danger'),
    kinds: { process: of('--accent'), file: of('--code-string'), address: of('--code-field'), domain: of('--code-number'), host: of('--code-keyword') },
  };
}

export function placeOf(item: Item): { x: number; y: number } {
  return { x: item.depth * columnStep, y: item.row * rowHeight };
}

// The item whose box is there, in the map's own measures.
export function itemAt(items: Item[], x: number, y: number): number | undefined {
  const row = Math.floor((y + (rowHeight - nodeHeight) / 2) / rowHeight);
  const depth = Math.floor(x / columnStep);
  if (x - depth * columnStep > nodeWidth) return undefined;
  const found = items.findIndex((item) => item.row === row && item.depth === depth);
  return found < 0 ? undefined : found;
}

interface Scene {
  items: Item[];
  byKey: ReadonlyMap<string, number>;
  selected: number;
  focus: string;
  view: View;
  colours: Colours;
  width: number;
  height: number;
}

function lineFrom(context: CanvasRenderingContext2D, parent: Item, child: Item): void {
  const from = placeOf(parent);
  const to = placeOf(child);
  const trunk = from.x + nodeWidth + 12;
  context.moveTo(from.x + nodeWidth, from.y + nodeHeight / 2);
  context.lineTo(trunk, from.y + nodeHeight / 2);
  context.lineTo(trunk, to.y + nodeHeight / 2);
  context.lineTo(to.x, to.y + nodeHeight / 2);
}

function drawLines(context: CanvasRenderingContext2D, scene: Scene, top: number, bottom: number): void {
  context.strokeStyle = scene.colours.border;
  context.lineWidth = 1;
  context.beginPath();
  for (const item of scene.items) {
    const parent = scene.items[item.parent];
    if (!parent || item.row < top || parent.row > bottom) continue;
    lineFrom(context, parent, item);
  }
  context.stroke();
}

// What two shown nodes have to do with each other besides hanging together; of the selected one alone, or all would be a net.
function drawAcross(context: CanvasRenderingContext2D, scene: Scene): void {
  const item = scene.items[scene.selected];
  if (!item || item.kind !== 'node') return;
  context.strokeStyle = scene.colours.accent;
  context.lineWidth = 1.5;
  context.setLineDash([5, 4]);
  for (const { to } of item.entry.across) {
    const other = scene.items[scene.byKey.get(to) ?? -1];
    if (!other) continue;
    const a = placeOf(item);
    const b = placeOf(other);
    const bend = Math.max(a.x, b.x) + nodeWidth + 60;
    context.beginPath();
    context.moveTo(a.x + nodeWidth, a.y + nodeHeight / 2);
    context.bezierCurveTo(bend, a.y + nodeHeight / 2, bend, b.y + nodeHeight / 2, b.x + nodeWidth, b.y + nodeHeight / 2);
    context.stroke();
  }
  context.setLineDash([]);
}

function drawBox(context: CanvasRenderingContext2D, scene: Scene, item: Item, index: number): void {
  const { colours } = scene;
  const { x, y } = placeOf(item);
  const selected = index === scene.selected;
  context.beginPath();
  context.roundRect(x, y, nodeWidth, nodeHeight, radius);
  context.fillStyle = selected ? colours.selected : colours.surface;
  context.fill();
  const isFocus = item.kind === 'node' && item.key === scene.focus;
  context.strokeStyle = selected || isFocus ? colours.accent : colours.border;
  context.lineWidth = selected ? 2 : 1;
  if (item.kind === 'more') context.setLineDash([3, 3]);
  context.stroke();
  context.setLineDash([]);
  if (item.kind === 'more') return;
  context.fillStyle = colours.kinds[item.entry.node.kind] ?? colours.accent;
  context.fillRect(x, y + 3, 3, nodeHeight - 6);
}

function drawWords(context: CanvasRenderingContext2D, scene: Scene, item: Item): void {
  const { colours } = scene;
  const { x, y } = placeOf(item);
  const middle = y + nodeHeight / 2 + 0.5;
  context.fillStyle = colours.text;
  if (item.kind === 'more') {
    context.fillStyle = colours.dim;
    context.fillText(`${item.count.toLocaleString('en')} more…`, x + 10, middle);
  } else {
    const { node, link, open, state } = item.entry;
    const mark = state === 'loading' ? '…' : state === 'failed' ? '!' : open ? '−' : '+';
    const beside = node.pid ? String(node.pid) : link && link.count > 1 ? `×${link.count.toLocaleString('en')}` : '';
    const room = Math.floor((nodeWidth - 40 - beside.length * charWidth) / charWidth);
    context.fillText(shortTitle(node, room), x + 10, middle);
    context.fillStyle = state === 'failed' ? colours.danger : colours.dim;
    context.textAlign = 'right';
    context.fillText(beside, x + nodeWidth - 22, middle);
    context.fillText(mark, x + nodeWidth - 8, middle);
    context.textAlign = 'left';
  }
  if (item.label) {
    context.fillStyle = colours.dim;
    context.textAlign = 'right';
    context.fillText(item.label, x - 6, middle - 7);
    context.textAlign = 'left';
  }
}

// How many boxes were drawn.
export function paint(context: CanvasRenderingContext2D, scene: Scene): number {
  const { view, width, height, items } = scene;
  const ratio = window.devicePixelRatio || 1;
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);
  context.setTransform(ratio * view.zoom, 0, 0, ratio * view.zoom, ratio * view.x, ratio * view.y);
  context.font = '11px "JetBrains Mono Variable", ui-monospace, monospace';
  context.textBaseline = 'middle';
  const top = Math.floor(-view.y / view.zoom / rowHeight) - 1;
  const bottom = Math.ceil((height - view.y) / view.zoom / rowHeight);
  drawLines(context, scene, top, bottom);
  drawAcross(context, scene);
  let drawn = 0;
  items.forEach((item, index) => {
    if (item.row < top || item.row > bottom) return;
    const { x } = placeOf(item);
    if ((x + nodeWidth) * view.zoom + view.x < 0 || (x - columnStep) * view.zoom + view.x > width) return;
    drawBox(context, scene, item, index);
    if (view.zoom >= readableZoom) drawWords(context, scene, item);
    drawn++;
  });
  return drawn;
}

