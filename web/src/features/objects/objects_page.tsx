import { Button } from '@mantine/core';
import { IconFileSearch } from '@tabler/icons-react';
import { useNavigate, useParams, useSearchParams } from 'react-router';
import { useMayChange } from '@/shared/api/session';
import { Empty, Failure, Loading } from '@/shared/ui/states';
import ui from '@/shared/ui/ui.module.css';
import { DropZone } from './drop_zone';
import { FilterBar } from './filter_bar';
import { filterParams, filtersOf, isNarrowed, searchOf } from './filters';
import { ObjectDetails } from './object_details';
import { ObjectTable } from './object_table';
import { useObjects } from './object_queries';
import css from './objects.module.css';

export function ObjectsPage() {
  const { id } = useParams();
  const navigate = useNavigate();
  const [params, setParams] = useSearchParams();
  const filters = filtersOf(params);
  const search = searchOf(filters);
  const objects = useObjects(filters);
  const mayChange = useMayChange();
  const list = objects.data?.pages.flatMap((page) => page.objects) ?? [];
  return (
    <div className={ui.page}>
      <div className={ui.pageHead}><h1>Objects</h1></div>
      {mayChange && <DropZone />}
      <FilterBar key={search} filters={filters} onChange={(next) => setParams(filterParams(next), { replace: true })} />
      <div className={css.split}>
        <section className={`${ui.card} ${css.list}`} aria-label="Objects">
          {objects.isPending && <Loading what="objects" />}
          {objects.isError && <Failure error={objects.error} retry={() => void objects.refetch()} />}
          {objects.data && list.length === 0 && isNarrowed(filters) && <Empty title="No object matches">Names and hashes are compared as a whole.</Empty>}
          {objects.data && list.length === 0 && !isNarrowed(filters) && (
            <Empty title="Nothing was submitted yet" icon={<IconFileSearch size={30} stroke={1.4} aria-hidden />}>
              Drop a file above, or run <code>redoubt scan FILE</code>.
            </Empty>
          )}
          {list.length > 0 && <ObjectTable objects={list} selected={id} search={search} />}
          {objects.hasNextPage && (
            <div className={css.more}>
              <Button variant="default" loading={objects.isFetchingNextPage} onClick={() => void objects.fetchNextPage()}>Older ones</Button>
            </div>
          )}
        </section>
        {id && <ObjectDetails key={id} id={id} onClose={() => void navigate(`/objects${search}`)} />}
      </div>
    </div>
  );
}
