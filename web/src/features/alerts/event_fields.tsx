import { Link } from 'react-router';
import type { Alert } from '@/shared/api/client';
import { useMayChange } from '@/shared/api/session';
import { testOf } from '@/shared/query_text/query_text';
import { HuntLink } from '@/shared/ui/hunt_link';
import { Empty } from '@/shared/ui/states';
import ui from '@/shared/ui/ui.module.css';
import css from './alerts.module.css';

// Times, and what numbers this one event, are never worth a hunt or an exclusion.
function isOfOneMoment(field: string): boolean {
  return field === '@timestamp' || /(?:start|end|since|until|sequence)$/.test(field);
}

function Value({ field, value }: { field: string; value: string | number }) {
  if (isOfOneMoment(field)) return <>{value}</>;
  return <HuntLink query={conditionOf(field, value)}>{value}</HuntLink>;
}

function conditionOf(field: string, value: string | number): string {
  return testOf(field, typeof value === 'number' ? 'integer' : 'text', value);
}

// Leads to the rule, with an exclusion of the value begun.
function Exclude({ ruleId, field, value }: { ruleId: string; field: string; value: string | number }) {
  const path = `/rules/${encodeURIComponent(ruleId)}?${new URLSearchParams({ exclude: conditionOf(field, value) })}`;
  return <Link to={path} className={css.exclude} aria-label={`Exclude ${field} ${value} from the rule`}>Exclude</Link>;
}

export function EventFields({ alert }: { alert: Alert }) {
  const fields = Object.entries(alert.event);
  const mayExclude = useMayChange() && alert.source === 'rule';
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
                {mayExclude && <td>{!isOfOneMoment(field) && <Exclude ruleId={alert.rule.id} field={field} value={value} />}</td>}
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </section>
  );
}
