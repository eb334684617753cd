import type { Alert } from '@/shared/api/client';
import { testOf } from '@/shared/query_text/query_text';
import { HuntLink } from '@/shared/ui/hunt_link';
import { Empty } from '@/shared/ui/states';
import ui from '@/shared/ui/ui.module.css';
import css from './alerts.module.css';

function Value({ field, value }: { field: string; value: string | number }) {
  // Times are not worth a hunt for the same.
  if (field === '@timestamp' || /(?:start|end|since|until)$/.test(field)) return <>{value}</>;
  const kind = typeof value === 'number' ? 'integer' : 'text';
  return <HuntLink query={testOf(field, kind, value)}>{value}</HuntLink>;
}

export function EventFields({ alert }: { alert: Alert }) {
  const fields = Object.entries(alert.event);
  return (
    <section className={ui.card} aria-label="Event">
      <div className={ui.cardHead}>
        <h2>Event</h2>
        <span className="dim">the first one; a value opens a hunt for the same</span>
      </div>
      {fields.length === 0 ? <Empty title="No event">This alert comes from an object.</Empty> : (
        <table className={css.fields}>
          <tbody>
            {fields.map(([field, value]) => (
              <tr key={field}>
                <th scope="row">{field}</th>
                <td><Value field={field} value={value} /></td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </section>
  );
}
