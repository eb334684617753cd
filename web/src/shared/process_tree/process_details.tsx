import type { ProcessNode } from '@/shared/api/client';
import { testOf } from '@/shared/query_text/query_text';
import { Copyable } from '@/shared/ui/copyable';
import { HuntLink } from '@/shared/ui/hunt_link';
import { MapLink } from '@/shared/ui/map_link';
import { Stamp } from '@/shared/ui/time';
import ui from '@/shared/ui/ui.module.css';
import css from './process_tree.module.css';

type Image = ProcessNode['images'][number];

function ImageBlock({ image }: { image: Image }) {
  return (
    <div className={css.image}>
      <div className="mono"><strong>{image.executable}</strong></div>
      <div className={css.label}>Arguments</div>
      <pre tabIndex={0} aria-label="Arguments">{image.command_line || '—'}</pre>
      {image.sha256 && (
        <>
          <div className={css.label}>SHA-256</div>
          <Copyable text={image.sha256} label="hash" />
        </>
      )}
      {image.working_directory && (
        <>
          <div className={css.label}>Working directory</div>
          <code>{image.working_directory}</code>
        </>
      )}
      {image.time && (
        <>
          <div className={css.label}>Program started</div>
          <Stamp time={image.time} />
        </>
      )}
    </div>
  );
}

export function ProcessDetails({ node, hostId }: { node: ProcessNode; hostId: string }) {
  return (
    <>
      <div className={css.sideHead}>
        <h3>{node.name}</h3>
        <span className="dim mono">pid {node.pid}</span>
        <span className={ui.spacer} />
        <MapLink kind="process" id={node.entity_id} hostId={hostId} around={node.start}>Map</MapLink>
        <HuntLink query={testOf('process.entity_id', 'id', node.entity_id)}>Hunt</HuntLink>
      </div>
      {node.images.length > 1 && <p className="dim">{node.images.length} programs, the latest first</p>}
      {[...node.images].reverse().map((image, index) => <ImageBlock key={index} image={image} />)}
      <dl className={ui.facts}>
        <dt>User</dt>
        <dd>{node.user}{node.user_id !== undefined && <span className="dim"> ({node.user_id})</span>}</dd>
        <dt>Started</dt>
        <dd><Stamp time={node.start} /></dd>
        <dt>Ended</dt>
        <dd>{node.end ? <Stamp time={node.end} /> : <span className="dim">running, as far as known</span>}</dd>
        {node.exit_code !== undefined && <><dt>Exit status</dt><dd className="mono">{node.exit_code}</dd></>}
      </dl>
    </>
  );
}
