// The report of the object that an alert is about, as the page of objects shows it.
import { Link } from 'react-router';
import { ApiError, type Alert } from '@/shared/api/client';
import { ReportCard } from '@/shared/scan_report/report_card';
import { useObject } from '@/shared/scan_report/use_object';
import { PartialMark, VerdictBadge } from '@/shared/scan_report/verdict';
import { Empty, Failure, Loading } from '@/shared/ui/states';
import { Stamp } from '@/shared/ui/time';
import ui from '@/shared/ui/ui.module.css';

export function ObjectReport({ id, source }: { id: string; source: Alert['source'] }) {
  const object = useObject(id);
  const data = object.data;
  const isMissing = object.error instanceof ApiError && object.error.status === 404;
  return (
    <section className={ui.card} aria-label="Object">
      <div className={ui.cardHead}>
        <h2>What the engines said</h2>
        {data && <VerdictBadge verdict={data.verdict} />}
        {data && <PartialMark object={data} />}
        {source === 'rescan' && <span className="dim">a rescan changed the verdict{data?.rescanned && <> on <Stamp time={data.rescanned} /></>}</span>}
        <span className={ui.spacer} />
        {data && <Link to={`/objects/${encodeURIComponent(id)}`}>Open the object</Link>}
      </div>
      {object.isPending && <Loading what="the object" />}
      {isMissing && <Empty title="The object is not there any more">What is known of it stands in this alert.</Empty>}
      {object.isError && !isMissing && <Failure error={object.error} retry={() => void object.refetch()} />}
      {data?.report && !object.isError && <div className={ui.cardBody}><ReportCard report={data.report} /></div>}
      {data && !data.report && !object.isError && <Empty title="Being judged">The report appears here by itself.</Empty>}
    </section>
  );
}
