import { Button } from '@mantine/core';
import { IconFileSearch } from '@tabler/icons-react';
import { useNavigate, useParams } from 'react-router';
import { useMayChange } from '@/shared/api/session';
import { Empty, Failure, Loading } from '@/shared/ui/states';
import ui from '@/shared/ui/ui.module.css';
import { DropZone } from './drop_zone';
import { ObjectDetails } from './object_details';
import { ObjectTable } from './object_table';
import { useObjects } from './object_queries';
import css from './objects.module.css';

export function ObjectsPage() {
  const { id } = useParams();
  const navigate = useNavigate();
  const objects = useObjects();
  const mayChange = useMayChange();
  const list = objects.data?.pages.flatMap((page) => page.objects) ?? [];
  return (
    <div className={ui.page}>
      <div className={ui.pageHead}><h1>Objects</h1></div>
      {mayChange && <DropZone />}
      <div className={css.split}>
        <section className={`${ui.card} ${css.list}`} aria-label="Objects">
          {objects.isPending && <Loading what="objects" />}
          {objects.isError && <Failure error={objects.error} retry={() => void objects.refetch()} />}
          {objects.data && list.length === 0 && (
            <Empty title="Nothing was submitted yet" icon={<IconFileSearch size={30} stroke={1.4} aria-hidden />}>
              Drop a file above, or run <code>redoubt scan FILE</code>.
            </Empty>
          )}
          {list.length > 0 && <ObjectTable objects={list} selected={id} />}
          {objects.hasNextPage && (
            <div className={css.more}>
              <Button variant="default" loading={objects.isFetchingNextPage} onClick={() => void objects.fetchNextPage()}>Older ones</Button>
            </div>
          )}
        </section>
        {id && <ObjectDetails id={id} onClose={() => void navigate('/objects')} />}
      </div>
    </div>
  );
}
