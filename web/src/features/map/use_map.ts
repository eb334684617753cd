// The map's state and the calls that fill it: one node at a time, when it is opened.
import { useCallback, useEffect, useMemo, useReducer, useRef } from 'react';
import { api, read } from '@/shared/api/client';
import { answered, failed, itemsOf, keyOf, limitAtFirst, limitMax, loading, moreShown, startOf, toggled, type Item, type MapAnswer, type MapNode, type MapState } from './graph';

export interface Span {
  since?: string | undefined;
  until?: string | undefined;
}

type Action =
  | { what: 'start'; node: MapNode } | { what: 'loading' | 'toggle'; key: string } | { what: 'answer'; key: string; answer: MapAnswer }
  | { what: 'failed'; key: string; error: string } | { what: 'more'; item: Item };

function reduce(state: MapState, action: Action): MapState {
  switch (action.what) {
    case 'start': return startOf(action.node);
    case 'loading': return loading(state, action.key);
    case 'toggle': return toggled(state, action.key);
    case 'answer': return answered(state, action.key, action.answer);
    case 'failed': return failed(state, action.key, action.error);
    case 'more': return moreShown(state, action.item);
  }
}

export function useMap(start: MapNode, span: Span) {
  const [state, dispatch] = useReducer(reduce, start, startOf);
  const running = useRef(new AbortController());

  const load = useCallback(async (node: MapNode, limit: number) => {
    const key = keyOf(node);
    const { signal } = running.current;
    dispatch({ what: 'loading', key });
    try {
      const answer = await read(api.POST('/map/neighbours', {
        body: { kind: node.kind, id: node.id, limit, ...(node.host_id && { host_id: node.host_id }), ...span }, signal,
      }));
      if (!signal.aborted) dispatch({ what: 'answer', key, answer });
    } catch (error) {
      if (!signal.aborted) dispatch({ what: 'failed', key, error: error instanceof Error ? error.message : String(error) });
    }
  }, [span]);

  // Another start or time is another map.
  useEffect(() => {
    const mine = new AbortController();
    running.current = mine;
    dispatch({ what: 'start', node: start });
    void load(start, limitAtFirst);
    return () => mine.abort();
  }, [start, load]);

  const press = useCallback((item: Item) => {
    if (item.kind === 'more') {
      dispatch({ what: 'more', item });
      if (item.toFetch) void load(item.entry.node, limitMax);
    } else if (item.entry.state === 'unknown' || item.entry.state === 'failed') void load(item.entry.node, limitAtFirst);
    else if (item.entry.state === 'known') dispatch({ what: 'toggle', key: item.key });
  }, [load]);

  const items = useMemo(() => itemsOf(state), [state]);
  return { state, items, press };
}
