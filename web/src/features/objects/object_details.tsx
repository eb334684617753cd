import { CloseButton } from '@mantine/core';
import { Link } from 'react-router';
import type { ScanObject } from '@/shared/api/client';
import { Copyable } from '@/shared/ui/copyable';
import { HuntLink } from '@/shared/ui/hunt_link';
import { ImportanceBadge } from '@/shared/ui/importance';
import { testOf } from '@/shared/query_text/query_text';
import { Failure, Loading } from '@/shared/ui/states';
import { bytes, Stamp } from '@/shared/ui/time';
import ui from '@/shared/ui/ui.module.css';
import { useObject } from './object_queries';
import { VerdictBadge } from './verdict';
import css from './objects.module.css';

type Report = NonNullable<ScanObject['report']>;

function Detection({ one }: { one: Report['detections'][number] }) {
  return (
    <article className={css.detection}>
      <div className={css.detectionHead}>
        <strong className="mono">{one.rule}</strong>
        <ImportanceBadge importance={one.importance} />
      </div>
      {one.description && <p>{one.description}</p>}
      <dl className={ui.facts}>
        <dt>Engine</dt><dd>{one.engine} {one.engine_version}</dd>
        <dt>Rule set</dt><dd className="mono">{one.rule_set}</dd>
      </dl>
    </article>
  );
}

function ReportPart({ report }: { report: Report }) {
  return (
    <>
      <h3>{report.detections.length === 0 ? 'No engine detected anything' : 'Detections'}</h3>
      {report.detections.map((one, index) => <Detection key={index} one={one} />)}
      {report.error && <p role="alert" className={css.error}>{report.error}</p>}
      <dl className={ui.facts}>
        <dt>Type</dt><dd className="mono">{report.mime_type || '—'}</dd>
        <dt>Engines</dt><dd>{report.engines.map((engine) => <div key={engine} className="mono">{engine}</div>)}</dd>
        <dt>Judged</dt><dd><Stamp time={report.finished} /></dd>
        <dt>Took</dt><dd className="mono">{report.duration_ms} ms</dd>
      </dl>
    </>
  );
}

export function ObjectDetails({ id, onClose }: { id: string; onClose: () => void }) {
  const object = useObject(id);
  const data = object.data;
  return (
    <aside className={`${ui.card} ${css.details}`} aria-label="Object">
      <div className={ui.cardHead}>
        <h2 className={ui.clip}>{data?.name ?? 'Object'}</h2>
        {data && <VerdictBadge verdict={data.verdict} />}
        <span className={ui.spacer} />
        <CloseButton size="sm" aria-label="Close the details" onClick={onClose} />
      </div>
      {object.isPending && <Loading what="the object" />}
      {object.isError && <Failure error={object.error} retry={() => void object.refetch()} />}
      {data && (
        <div className={css.detailsBody}>
          {data.alert_id && <p><Link to={`/alerts/${encodeURIComponent(data.alert_id)}`}>Open its alert</Link></p>}
          <dl className={ui.facts}>
            <dt>SHA-256</dt><dd><Copyable text={data.sha256} label="hash" /></dd>
            <dt>Size</dt><dd className="mono">{bytes(data.size_bytes)}</dd>
            <dt>Submitted</dt><dd><Stamp time={data.submitted} /> by {data.submitted_by}</dd>
            <dt>On hosts</dt><dd><HuntLink query={testOf('process.hash.sha256', 'hash', data.sha256)}>Hunt for programs with this hash</HuntLink></dd>
          </dl>
          {data.report && <ReportPart report={data.report} />}
        </div>
      )}
    </aside>
  );
}
