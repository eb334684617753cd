import ui from '@/shared/ui/ui.module.css';
import { fileName, type Refused } from './yara';
import css from './yara.module.css';

// Rules that do not compile, with the compiler's words.
export function RefusedTable({ label, refused }: { label: string; refused: Refused[] }) {
  return (
    <div className={ui.tableWrap}>
      <table className={ui.table} aria-label={label}>
        <thead><tr><th>File</th><th className={ui.right}>Line</th><th>Why</th></tr></thead>
        <tbody>
          {refused.map((one, index) => (
            <tr key={index} data-refused={one.file}>
              <td className={css.file} title={one.file}>{fileName(one.file)}</td>
              <td className={`${ui.right} mono`}>{one.line > 0 ? one.line : ''}</td>
              <td className={css.why}>{one.message}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
