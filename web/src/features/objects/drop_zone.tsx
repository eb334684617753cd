import { CloseButton, Progress } from '@mantine/core';
import { IconUpload } from '@tabler/icons-react';
import { useRef, useState } from 'react';
import { bytes } from '@/shared/ui/time';
import { useTakeObject } from './object_queries';
import { upload, type Upload } from './upload';
import css from './objects.module.css';

const uploadsAtOnceMax = 2;

function useUploads() {
  const take = useTakeObject();
  const [uploads, setUploads] = useState<Upload[]>([]);
  const queue = useRef<(() => Promise<void>)[]>([]);
  const running = useRef(0);
  const keys = useRef(0);

  const change = (key: number, part: Partial<Upload>) =>
    setUploads((all) => all.map((one) => (one.key === key ? { ...one, ...part } : one)));
  const remove = (key: number) => setUploads((all) => all.filter((one) => one.key !== key));

  const next = () => {
    while (running.current < uploadsAtOnceMax && queue.current.length > 0) {
      running.current++;
      void queue.current.shift()!().finally(() => {
        running.current--;
        next();
      });
    }
  };
  const add = (files: Iterable<File>) => {
    for (const file of files) {
      const key = keys.current++;
      setUploads((all) => [...all, { key, name: file.name, sizeBytes: file.size, progress: 0 }]);
      queue.current.push(async () => {
        try {
          take(await upload(file, (progress) => change(key, { progress })));
          remove(key);
        } catch (error) {
          change(key, { error: error instanceof Error ? error.message : String(error) });
        }
      });
    }
    next();
  };
  return { uploads, add, remove };
}

function UploadLine({ one, onRemove }: { one: Upload; onRemove: () => void }) {
  return (
    <li className={css.upload}>
      <span className="mono">{one.name}</span>
      <span className="dim">{bytes(one.sizeBytes)}</span>
      {one.error ? (
        <>
          <span role="alert" className={css.error}>{one.error}</span>
          <CloseButton size="xs" aria-label={`Dismiss ${one.name}`} onClick={onRemove} />
        </>
      ) : (
        <Progress className={css.progress} value={one.progress * 100} size="sm" aria-label={`Upload of ${one.name}`} />
      )}
    </li>
  );
}

export function DropZone() {
  const { uploads, add, remove } = useUploads();
  const [over, setOver] = useState(false);
  const input = useRef<HTMLInputElement>(null);
  return (
    <section aria-label="Submit files">
      <div className={css.drop} data-over={over || undefined} data-testid="drop-zone"
        onDragOver={(event) => {
          event.preventDefault();
          setOver(true);
        }}
        onDragLeave={() => setOver(false)}
        onDrop={(event) => {
          event.preventDefault();
          setOver(false);
          add(event.dataTransfer.files);
        }}>
        <IconUpload size={20} stroke={1.6} aria-hidden />
        <span>
          Drop files here or <button type="button" className={css.choose} onClick={() => input.current?.click()}>choose them</button>
          <span className="dim"> · up to 100 MiB each · judged in a jailed worker</span>
        </span>
        <input ref={input} type="file" multiple hidden aria-label="Files to submit" onChange={(event) => {
          add(event.currentTarget.files ?? []);
          event.currentTarget.value = '';
        }} />
      </div>
      {uploads.length > 0 && (
        <ul className={css.uploads}>{uploads.map((one) => <UploadLine key={one.key} one={one} onRemove={() => remove(one.key)} />)}</ul>
      )}
    </section>
  );
}
