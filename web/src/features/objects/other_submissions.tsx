// Who else handed the same content in, and when.
import { useQuery } from '@tanstack/react-query';
import { Link } from 'react-router';
import { api, read, type ScanObject } from '@/shared/api/client';
import { VerdictBadge } from '@/shared/scan_report/verdict';
import { Failure, Loading } from '@/shared/ui/states';
import { Stamp } from '@/shared/ui/time';
import { filtersOf, searchOf } from './filters';
import css from './objects.module.css';

const shownMax = 20;

export function OtherSubmissions({ object }: { object: ScanObject }) {
  const same = useQuery({
    queryKey: ['submissions', object.sha256],
    queryFn: () => read(api.GET('/objects', { params: { query: { sha256: object.sha256, limit: shownMax + 1 } } })),
  });
  const others = same.data?.objects.filter((one) => one.id !== object.id).slice(0, shownMax) ?? [];
  const hasMore = same.data?.next_cursor !== undefined;
  const all = searchOf(filtersOf(new URLSearchParams({ sha256: object.sha256 })));
  return (
    <section aria-label="Other submissions of this content">
      <h3>Other submissions of this content</h3>
      {same.isPending && <Loading what="submissions" />}
      {same.isError && <Failure error={same.error} retry={() => void same.refetch()} />}
      {same.data && others.length === 0 && <p className="dim">It was handed in once.</p>}
      <ul className={css.submissions}>
        {others.map((one) => (
          <li key={one.id}>
            <VerdictBadge verdict={one.verdict} />
            <Link to={`/objects/${encodeURIComponent(one.id)}`} className={css.name}>{one.name}</Link>
            <span className="dim">{one.submitted_by} · <Stamp time={one.submitted} /></span>
          </li>
        ))}
      </ul>
      {hasMore && <Link to={`/objects${all}`}>All of them</Link>}
    </section>
  );
}
