// The dependency map around one node: who started whom, wrote what, spoke to whom.
import { SegmentedControl, Select } from '@mantine/core';
import { IconTopologyStar3 } from '@tabler/icons-react';
import { useCallback, useMemo, useState } from 'react';
import { useSearchParams } from 'react-router';
import { Empty, Failure } from '@/shared/ui/states';
import ui from '@/shared/ui/ui.module.css';
import { titleOf, type MapKind, type MapNode } from './graph';
import { MapCanvas } from './map_canvas';
import { MapDetails } from './map_details';
import { MapList } from './map_list';
import { useMap, type Span } from './use_map';
import css from './map.module.css';

const kinds: MapKind[] = ['process', 'file', 'address', 'domain', 'host'];
const hourMs = 3_600_000;
const spans = [
  { value: '0.25', label: '15 minutes' }, { value: '1', label: 'Hour' }, { value: '24', label: 'Day' }, { value: '168', label: '7 days' }, { value: 'all', label: 'All time' },
];

function spanOf(hours: string, around: string | undefined, now: number): Span {
  if (hours === 'all') return {};
  const half = Number(hours) * hourMs;
  if (!around) return { since: new Date(now - half).toISOString() };
  const at = Date.parse(around);
  return { since: new Date(at - half).toISOString(), until: new Date(at + half).toISOString() };
}

function useStart() {
  const [params] = useSearchParams();
  const kind = kinds.find((one) => one === params.get('kind'));
  const id = params.get('id') ?? '';
  const host = params.get('host') ?? '';
  const around = Number.isNaN(Date.parse(params.get('around') ?? '')) ? undefined : params.get('around')!;
  const node = useMemo<MapNode | undefined>(() => kind && id !== '' ? { kind, id, ...(host && { host_id: host }) } : undefined, [kind, id, host]);
  return { node, around };
}

function Map({ start, around }: { start: MapNode; around: string | undefined }) {
  const [now] = useState(() => Date.now());
  const [hours, setHours] = useState(around || start.kind === 'host' ? '24' : 'all');
  const [view, setView] = useState('picture');
  const span = useMemo(() => spanOf(hours, around, now), [hours, around, now]);
  const { state, items, press } = useMap(start, span);
  // What is selected stays so where others come and go; where it goes itself, what takes its place.
  const [picked, setPicked] = useState<{ key: string; index: number }>();
  const at = items.findIndex((item) => item.key === (picked?.key ?? state.focus));
  const selected = at >= 0 ? at : Math.min(picked?.index ?? 0, items.length - 1);
  const onSelect = useCallback((index: number) => setPicked({ key: items[index]!.key, index }), [items]);
  const focus = state.entries.get(state.focus)!;
  const props = { items, focus: state.focus, selected, onSelect, onPress: press };
  const nodes = items.filter((item) => item.kind === 'node').length;
  return (
    <>
      <div className={ui.pageHead}>
        <h1>Map</h1>
        <span className={css.title}>of {titleOf(focus.node)}</span>
        <span className={ui.spacer} />
        <span className="dim" data-testid="map-count">{nodes.toLocaleString('en')} {nodes === 1 ? 'node' : 'nodes'}</span>
        <Select aria-label={around ? 'Time before and after' : 'Time range'} w={150} data={spans} value={hours} allowDeselect={false} onChange={(value) => value && setHours(value)} />
        <SegmentedControl aria-label="Show the map as" value={view} onChange={setView} data={[{ value: 'picture', label: 'Picture' }, { value: 'list', label: 'List' }]} />
      </div>
      <section className={`${ui.card} ${css.card}`} aria-label="Dependency map">
        {focus.state === 'failed' ? <Failure error={focus.error} retry={() => press(items[selected]!)} /> : (
          <div className={css.frame}>
            {view === 'picture' ? <MapCanvas {...props} /> : <MapList {...props} />}
            <MapDetails item={items[selected]!} onPress={press} around={around} />
          </div>
        )}
      </section>
    </>
  );
}

export function MapPage() {
  const { node, around } = useStart();
  return (
    <div className={`${ui.page} ${css.page}`}>
      {node ? <Map key={`${node.kind} ${node.id} ${node.host_id ?? ''} ${around ?? ''}`} start={node} around={around} /> : (
        <Empty title="Nothing to draw a map of" icon={<IconTopologyStar3 size={30} stroke={1.4} aria-hidden />}>
          A map starts from a process: open one from an alert, from the row of a hunt, or a host from the page of hosts.
        </Empty>
      )}
    </div>
  );
}
