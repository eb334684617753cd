import { useSearchParams } from 'react-router';
import { useMayChange } from '@/shared/api/session';
import ui from '@/shared/ui/ui.module.css';
import { AddEntry } from './add_entry';
import { CheckValue } from './check_value';
import { Entries } from './entries';
import { Sources } from './sources';
import css from './reputation.module.css';

// The value that is checked and the source that is open stand in the address.
export function ReputationPage() {
  const [params, setParams] = useSearchParams();
  const value = params.get('value') ?? '';
  const source = params.get('source') ?? '';
  const mayChange = useMayChange();
  const set = (name: string, to: string) => setParams((before) => {
    const next = new URLSearchParams(before);
    if (to) next.set(name, to);
    else next.delete(name);
    return next;
  }, { replace: true });
  return (
    <div className={ui.page}>
      <div className={ui.pageHead}>
        <h1>Reputation</h1>
        <span className="dim">what is known as good or bad, with no outside network</span>
      </div>
      <CheckValue key={value} value={value} onCheck={(to) => set('value', to)} mayChange={mayChange} />
      {mayChange && <AddEntry />}
      <div className={css.split}>
        <Sources selected={source} onSelect={(name) => set('source', name)} mayChange={mayChange} />
        <Entries source={source} onAll={() => set('source', '')} mayChange={mayChange} />
      </div>
    </div>
  );
}
