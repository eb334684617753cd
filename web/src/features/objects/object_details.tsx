import { CloseButton } from '@mantine/core';
import { useState } from 'react';
import { Link } from 'react-router';
import { ApiError, type ScanObject } from '@/shared/api/client';
import { useReputation } from '@/shared/api/reputation';
import { useMayChange } from '@/shared/api/session';
import { testOf } from '@/shared/query_text/query_text';
import { ReportCard } from '@/shared/scan_report/report_card';
import { useObject } from '@/shared/scan_report/use_object';
import { PartialMark, VerdictBadge } from '@/shared/scan_report/verdict';
import { Copyable } from '@/shared/ui/copyable';
import { HuntLink } from '@/shared/ui/hunt_link';
import { ReputationBadge } from '@/shared/ui/reputation_badge';
import { Empty, Failure, Loading } from '@/shared/ui/states';
import { bytes, Stamp } from '@/shared/ui/time';
import ui from '@/shared/ui/ui.module.css';
import { ObjectActions } from './object_actions';
import { OtherSubmissions } from './other_submissions';
import css from './objects.module.css';

// So long is a new word looked for after the engines were asked again.
const rescanWithinMs = 60_000;

function Reputation({ value }: { value: string }) {
  const { data, isError } = useReputation(value);
  if (isError) return <span className="dim">could not be asked</span>;
  if (!data) return <span className="dim">…</span>;
  const first = data.entries[0];
  return (
    <>
      <ReputationBadge word={data.reputation} />{' '}
      {first && <span className="dim">{first.source}{first.note && `: ${first.note}`} </span>}
      <Link to={`/reputation?${new URLSearchParams({ value })}`}>Details</Link>
    </>
  );
}

function Facts({ object }: { object: ScanObject }) {
  return (
    <dl className={ui.facts}>
      <dt>SHA-256</dt><dd><Copyable text={object.sha256} label="hash" /></dd>
      <dt>Size</dt><dd className="mono">{bytes(object.size_bytes)}</dd>
      <dt>Submitted</dt><dd><Stamp time={object.submitted} /> by {object.submitted_by}</dd>
      {object.rescanned && <><dt>Verdict changed</dt><dd><Stamp time={object.rescanned} /> <span className="dim">by a rescan</span></dd></>}
      <dt>Reputation</dt><dd><Reputation value={object.sha256} /></dd>
      <dt>On hosts</dt><dd><HuntLink query={testOf('process.hash.sha256', 'hash', object.sha256)}>Hunt for programs with this hash</HuntLink></dd>
    </dl>
  );
}

export function ObjectDetails({ id, onClose }: { id: string; onClose: () => void }) {
  const [settledBy, setSettledBy] = useState(0);
  const object = useObject(id, settledBy);
  const mayChange = useMayChange();
  const data = object.data;
  const isMissing = object.error instanceof ApiError && object.error.status === 404;
  const asked = () => {
    setSettledBy(Date.now() + rescanWithinMs);
    void object.refetch();
  };
  return (
    <aside className={`${ui.card} ${css.details}`} aria-label="Object">
      <div className={ui.cardHead}>
        <h2 className={ui.clip} title={data?.name}>{data?.name ?? 'Object'}</h2>
        {data && <VerdictBadge verdict={data.verdict} />}
        {data && <PartialMark object={data} />}
        <span className={ui.spacer} />
        <CloseButton size="sm" aria-label="Close the details" onClick={onClose} />
      </div>
      {object.isPending && <Loading what="the object" />}
      {isMissing && <Empty title="There is no such object">It was removed, or the address is mistyped.</Empty>}
      {object.isError && !isMissing && <Failure error={object.error} retry={() => void object.refetch()} />}
      {data && !object.isError && (
        <div className={css.detailsBody}>
          {data.alert_id && <p><Link to={`/alerts/${encodeURIComponent(data.alert_id)}`}>Open its alert</Link></p>}
          <Facts object={data} />
          {mayChange && <ObjectActions object={data} onAsked={asked} />}
          {data.report && <div className={css.report}><ReportCard report={data.report} /></div>}
          <OtherSubmissions object={data} />
        </div>
      )}
    </aside>
  );
}
