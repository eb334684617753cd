// The content as digits and text, 4 KiB at a time. Each part that is read is in the node's audit log: nothing is read twice
// or by itself.
import { Button, Modal } from '@mantine/core';
import { useInfiniteQuery } from '@tanstack/react-query';
import { api, ApiError, read, type ScanObject } from '@/shared/api/client';
import { Empty, Failure, Loading } from '@/shared/ui/states';
import { bytes } from '@/shared/ui/time';
import { nextOffset, previewText } from './preview_lines';
import css from './objects.module.css';

function usePreview(object: ScanObject) {
  return useInfiniteQuery({
    queryKey: ['preview', object.id],
    initialPageParam: 0,
    queryFn: ({ pageParam }) => read(api.GET('/objects/{id}/preview', { params: { path: { id: object.id }, query: { offset: pageParam } } })),
    getNextPageParam: (page, _, asked: number) => nextOffset(asked, page.next_offset, object.size_bytes),
    staleTime: Infinity,
    gcTime: 0,
    refetchOnWindowFocus: false,
    refetchOnReconnect: false,
  });
}

export function Preview({ object, onClose }: { object: ScanObject; onClose: () => void }) {
  const preview = usePreview(object);
  const pages = preview.data?.pages ?? [];
  const shown = pages.at(-1)?.next_offset ?? 0;
  const isGone = preview.error instanceof ApiError && preview.error.status === 404;
  return (
    <Modal opened onClose={onClose} title={`Content of ${object.name}`} size="xl">
      {preview.isPending && <Loading what="the content" />}
      {isGone && <Empty title="The content is not there">It was removed, or is not kept any more. Verdicts and history stay.</Empty>}
      {preview.isError && !isGone && <Failure error={preview.error} retry={() => void (preview.data ? preview.fetchNextPage() : preview.refetch())} />}
      {preview.data && shown === 0 && <Empty title="The content is empty" />}
      {shown > 0 && (
        <>
          <pre className={css.preview} tabIndex={0} aria-label="Content as digits and text">{previewText(pages.flatMap((page) => page.lines))}</pre>
          <div className={css.previewFoot}>
            <span className="dim" role="status">{bytes(shown)} of {bytes(object.size_bytes)}</span>
            {preview.hasNextPage && <Button variant="default" loading={preview.isFetchingNextPage} onClick={() => void preview.fetchNextPage()}>Next 4 KiB</Button>}
          </div>
        </>
      )}
    </Modal>
  );
}
