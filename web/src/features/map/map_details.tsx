// What is known of the selected node, and where to go from it.
import { Button } from '@mantine/core';
import { Link } from 'react-router';
import { quote, testOf } from '@/shared/query_text/query_text';
import { Copyable } from '@/shared/ui/copyable';
import { HuntLink } from '@/shared/ui/hunt_link';
import { mapPath } from '@/shared/ui/map_link';
import { Stamp } from '@/shared/ui/time';
import ui from '@/shared/ui/ui.module.css';
import { kindNames, relationName, titleOf, type Item, type MapNode } from './graph';
import css from './map.module.css';

function huntFor({ kind, id, host_id }: MapNode): string {
  const any = (fields: string[]) => fields.map((field) => `${field} = ${quote(id)}`).join(' OR ');
  switch (kind) {
    case 'process': return testOf('process.entity_id', 'id', id);
    case 'file': {
      const file = any(['file.path', 'file.previous.path', 'process.executable', 'process.script']);
      return host_id ? `host.id = ${quote(host_id)} AND (${file})` : file;
    }
    case 'address': return any(['source.ip', 'destination.ip']);
    case 'domain': return any(['dns.question.name', 'destination.domain']);
    case 'host': return testOf('host.id', 'id', id);
  }
}

function Facts({ node }: { node: MapNode }) {
  return (
    <>
      <Copyable text={node.kind === 'process' ? node.executable ?? node.id : node.id} label={kindNames[node.kind].toLowerCase()} />
      {node.command_line && <pre className={css.command} tabIndex={0} aria-label="Arguments">{node.command_line}</pre>}
      <dl className={ui.facts}>
        {node.pid !== undefined && <><dt>Process id</dt><dd className="mono">{node.pid}</dd></>}
        {node.user && <><dt>User</dt><dd>{node.user}</dd></>}
        {node.host_name && <><dt>Host</dt><dd>{node.host_name}</dd></>}
        {node.start && <><dt>Started</dt><dd><Stamp time={node.start} /></dd></>}
      </dl>
    </>
  );
}

export function MapDetails({ item, onPress, around }: { item: Item; onPress: (item: Item) => void; around: string | undefined }) {
  const { entry } = item;
  const { node, link } = entry;
  return (
    <aside className={css.side} aria-label="Selected node" tabIndex={0}>
      <div className={css.sideHead}>
        <h2>{titleOf(node)}</h2>
        <span className="dim">{kindNames[node.kind]}</span>
      </div>
      <Facts node={node} />
      {link && (
        <dl className={ui.facts}>
          <dt>{relationName(link.relation, link.direction)}</dt><dd>{link.count.toLocaleString('en')} {link.count === 1 ? 'event' : 'events'}</dd>
          <dt>First</dt><dd><Stamp time={link.first} /></dd>
          <dt>Last</dt><dd><Stamp time={link.last} /></dd>
          {link.notes.length > 0 && <><dt>How</dt><dd className="mono">{link.notes.join(', ')}</dd></>}
        </dl>
      )}
      {entry.error && <p className={css.error} role="alert">{entry.error}</p>}
      {entry.partial && <p className={css.partial}>Not all of its events were looked at: a shorter time shows more of them.</p>}
      <div className={css.actions}>
        <Button size="xs" variant="default" loading={entry.state === 'loading'} onClick={() => onPress(item)}>
          {item.kind === 'more' ? 'Show more' : entry.open ? 'Close' : 'Open'}
        </Button>
        <HuntLink query={huntFor(node)}>Hunt</HuntLink>
        <Link to={mapPath({ kind: node.kind, id: node.id, hostId: node.host_id, around })}>Map from here</Link>
      </div>
    </aside>
  );
}
