import { Button, Textarea } from '@mantine/core';
import { useState } from 'react';
import type { Alert } from '@/shared/api/client';
import { useMayChange } from '@/shared/api/session';
import { Ago } from '@/shared/ui/time';
import ui from '@/shared/ui/ui.module.css';
import { useChangeAlert } from './live_alerts';
import css from './alerts.module.css';

const commentLengthMax = 10_000;

export function Comments({ alert }: { alert: Alert }) {
  const [text, setText] = useState('');
  const change = useChangeAlert();
  const mayChange = useMayChange();
  const send = (event: React.FormEvent) => {
    event.preventDefault();
    if (text.trim() === '') return;
    change.mutate({ id: alert.id, comment: text.trim() }, { onSuccess: () => setText('') });
  };
  return (
    <section className={ui.card} aria-label="Comments">
      <div className={ui.cardHead}><h2>Comments</h2><span className="dim">{alert.comments.length || ''}</span></div>
      <div className={ui.cardBody}>
        {alert.comments.map((comment, index) => (
          <article key={index} className={css.comment}>
            <strong>{comment.user}</strong> <span className="dim"><Ago time={comment.time} /></span>
            <p>{comment.text}</p>
          </article>
        ))}
        {alert.comments.length === 0 && !mayChange && <span className="dim">No comments</span>}
        {mayChange && (
          <form className={css.commentForm} onSubmit={send}>
            <Textarea aria-label="Comment" placeholder="What you found, what you did" autosize minRows={2} maxRows={8} size="xs"
              maxLength={commentLengthMax} value={text} error={change.error?.message}
              onChange={(event) => setText(event.currentTarget.value)} />
            <Button type="submit" variant="default" disabled={text.trim() === ''} loading={change.isPending}>Comment</Button>
          </form>
        )}
      </div>
    </section>
  );
}
