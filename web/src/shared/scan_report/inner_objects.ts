// What unpacking gave as a tree, and what each engine said: a report as values, before it is drawn. Names, remarks and
// numbers in it come from a hostile file.
import type { ScanObject } from '@/shared/api/client';

export type Report = NonNullable<ScanObject['report']>;
export type Detection = Report['detections'][number];
export type InnerObject = Report['objects'][number];

export interface InnerNode {
  object: InnerObject;
  detections: Detection[];
  children: InnerNode[];
}

// Drawn at once; more on demand.
export const innerShownMax = 200;

// Containers come before what is in them: a parent that does not is taken for the object itself, so there is no circle.
function parentOf(object: InnerObject, place: number): number {
  return object.parent >= 0 && object.parent < place ? object.parent : 0;
}

// The places to draw of a large tree: all that something was detected in or said of, with what they are in; then the first.
function placesShown(report: Report, most: number): Set<number> {
  const shown = new Set<number>();
  const show = (place: number) => {
    for (let at = place; !shown.has(at) && report.objects[at]; at = parentOf(report.objects[at]!, at)) shown.add(at);
  };
  for (const one of report.detections) show(one.object);
  report.objects.forEach((one, place) => one.remark && shown.size < most && show(place));
  report.objects.forEach((_, place) => shown.size < most && show(place));
  return shown;
}

export interface InnerTree {
  root: InnerNode;
  leftOut: number;
}

// Undefined where nothing was unpacked. A detection in something that is not listed is shown at the object itself.
export function innerTree(report: Report, most = innerShownMax): InnerTree | undefined {
  if (report.objects.length === 0) return undefined;
  const shown = placesShown(report, most);
  const nodes = new Map<number, InnerNode>();
  report.objects.forEach((object, place) => {
    if (!shown.has(place)) return;
    const node: InnerNode = { object, detections: [], children: [] };
    nodes.set(place, node);
    if (place > 0) nodes.get(parentOf(object, place))!.children.push(node);
  });
  const root = nodes.get(0)!;
  for (const one of report.detections) (nodes.get(one.object) ?? root).detections.push(one);
  return { root, leftOut: report.objects.length - nodes.size };
}

export interface EngineWord {
  engine: string; // as the report names it
  rules: string[]; // what it detected, each name once
}

// Every engine that judged, with its word; also one that detected something and is not in the list.
export function engineWords(report: Report): EngineWord[] {
  const found = new Map<string, Set<string>>();
  for (const one of report.detections) found.set(one.engine, (found.get(one.engine) ?? new Set()).add(one.rule));
  const words = report.engines.map((engine) => {
    const name = engine.split(' ', 1)[0]!;
    const rules = [...(found.get(name) ?? [])];
    found.delete(name);
    return { engine, rules };
  });
  return [...words, ...[...found].map(([engine, rules]) => ({ engine, rules: [...rules] }))];
}

// "Not detected" is only as good as what was looked at.
export function isPartial(object: ScanObject): boolean {
  return (object.report?.not_scanned.length ?? 0) > 0;
}
