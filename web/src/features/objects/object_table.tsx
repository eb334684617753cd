import { Link } from 'react-router';
import type { ScanObject } from '@/shared/api/client';
import { PartialMark, VerdictBadge } from '@/shared/scan_report/verdict';
import { Ago, bytes } from '@/shared/ui/time';
import ui from '@/shared/ui/ui.module.css';
import { useVerdict, waitedFor } from './object_queries';
import css from './objects.module.css';

function ObjectRow({ object, selected, wait, search }: { object: ScanObject; selected: boolean; wait: 'wait' | 'later'; search: string }) {
  useVerdict(object, wait);
  const found = object.report?.detections ?? [];
  return (
    <tr data-object={object.id} data-selected={selected || undefined} className={css.row}>
      <td>
        <VerdictBadge verdict={object.verdict} />
        {object.verdict === 'not detected' && <div className={css.mark}><PartialMark object={object} /></div>}
      </td>
      <td className={css.nameCell}>
        <Link to={`/objects/${encodeURIComponent(object.id)}${search}`} className={css.name} aria-current={selected || undefined}>{object.name}</Link>
        <div className={`${css.hash} mono`} title={object.sha256}>{object.sha256}</div>
      </td>
      <td className="mono">{found.length > 0 ? [...new Set(found.map((one) => one.rule))].join(', ') : <span className="dim">—</span>}</td>
      <td className={`${ui.right} mono`}>{bytes(object.size_bytes)}</td>
      <td>{object.submitted_by}<div className={css.sub}>{object.source}</div></td>
      <td className={css.when}><Ago time={object.submitted} /></td>
    </tr>
  );
}

// `search`: the filters, which stay while objects are looked at.
export function ObjectTable({ objects, selected, search }: { objects: ScanObject[]; selected: string | undefined; search: string }) {
  const waited = waitedFor(objects);
  return (
    <div className={ui.tableWrap}>
      <table className={ui.table}>
        <thead>
          <tr><th>Verdict</th><th>Object</th><th>Rule</th><th className={ui.right}>Size</th><th>Submitted by</th><th>Submitted</th></tr>
        </thead>
        <tbody aria-live="polite">
          {objects.map((object) => (
            <ObjectRow key={object.id} object={object} selected={object.id === selected} wait={waited.has(object.id) ? 'wait' : 'later'} search={search} />
          ))}
        </tbody>
      </table>
    </div>
  );
}
