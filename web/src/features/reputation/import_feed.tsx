import { Autocomplete, Button, Modal, Select } from '@mantine/core';
import { useRef, useState, type FormEvent } from 'react';
import type { ReputationEntry } from '@/shared/api/client';
import { bytes } from '@/shared/ui/time';
import { feedBytesMax, manualSource, sourceNameMax, sourceNameOf, summaryOf, type FeedReport } from './feed';
import { useImport } from './reputation_queries';
import css from './reputation.module.css';

function Outcome({ report, onClose }: { report: FeedReport; onClose: () => void }) {
  return (
    <>
      <p role="status" className={css.text} data-testid="import-outcome">{summaryOf(report)}.</p>
      {report.reasons.length > 0 && (
        <>
          <p className="dim">Why the first of them were skipped:</p>
          <ul className={css.reasons}>{report.reasons.map((reason, at) => <li key={at}>{reason}</li>)}</ul>
        </>
      )}
      <div className={css.buttons}><Button data-autofocus onClick={onClose}>Close</Button></div>
    </>
  );
}

// `sources`: feeds that are known, to be replaced by a newer state.
export function ImportFeed({ sources, onClose }: { sources: string[]; onClose: () => void }) {
  const feed = useImport();
  const input = useRef<HTMLInputElement>(null);
  const [file, setFile] = useState<File>();
  const [source, setSource] = useState('');
  const [reputation, setReputation] = useState<ReputationEntry['reputation']>('bad');
  const name = source.trim();
  const choose = (chosen: File | undefined) => {
    setFile(chosen);
    if (chosen && name === '') setSource(sourceNameOf(chosen.name));
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (file) feed.mutate({ source: name, reputation, file });
  };
  return (
    <Modal opened onClose={onClose} title="Import a feed" size="lg">
      {feed.data ? <Outcome report={feed.data} onClose={onClose} /> : (
        <form onSubmit={submit}>
          <p className={css.text}>
            A list, CSV, ClamAV hash signatures (.hdb, .hsb), a MISP event or a STIX 2.1 bundle, up to {bytes(feedBytesMax)}. What the source said before and
            says no more is removed.
          </p>
          <div className={css.file}>
            <Button variant="default" onClick={() => input.current?.click()}>Choose a file</Button>
            <span className={file ? 'mono' : 'dim'}>{file ? `${file.name}, ${bytes(file.size)}` : 'none chosen'}</span>
            <input ref={input} type="file" hidden aria-label="Feed file" onChange={(event) => choose(event.currentTarget.files?.[0])} />
          </div>
          <Autocomplete className={css.field} label="Source" placeholder="urlhaus" data={sources} maxLength={sourceNameMax} value={source} onChange={setSource}
            error={name === manualSource ? 'This is what people enter themselves; give the feed a name of its own.' : undefined} />
          <Select className={css.field} label="What it lists is" data={[{ value: 'bad', label: 'Bad' }, { value: 'good', label: 'Good' }]} allowDeselect={false}
            value={reputation} onChange={(value) => setReputation((value ?? 'bad') as ReputationEntry['reputation'])} />
          {feed.isError && <p role="alert" className={css.error}>{feed.error.message}</p>}
          <div className={css.buttons}>
            <Button variant="default" onClick={onClose}>Cancel</Button>
            <Button type="submit" loading={feed.isPending} disabled={!file || name === '' || name === manualSource}>Import</Button>
          </div>
        </form>
      )}
    </Modal>
  );
}
