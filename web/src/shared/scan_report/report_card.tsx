// What the engines said of an object: what was not scanned first, then what was detected and where, every engine's word,
// links, and facts. Names, links and remarks come from the file: all of it is text.
import { Button } from '@mantine/core';
import { IconAlertTriangle } from '@tabler/icons-react';
import { useState } from 'react';
import { Copyable } from '@/shared/ui/copyable';
import { ImportanceBadge } from '@/shared/ui/importance';
import { bytes, Stamp } from '@/shared/ui/time';
import ui from '@/shared/ui/ui.module.css';
import { engineWords, innerShownMax, innerTree, type Detection, type InnerNode, type Report } from './inner_objects';
import css from './scan_report.module.css';

const linesShownMax = 100;

function DetectionCard({ one }: { one: Detection }) {
  return (
    <article className={css.detection}>
      <div className={css.detectionHead}>
        <strong className="mono">{one.rule}</strong>
        <ImportanceBadge importance={one.importance} />
      </div>
      {one.description && <p>{one.description}</p>}
      <dl className={ui.facts}>
        <dt>Engine</dt><dd>{one.engine} {one.engine_version}</dd>
        <dt>Rule set</dt><dd className="mono">{one.rule_set}</dd>
      </dl>
    </article>
  );
}

function Inner({ node }: { node: InnerNode }) {
  const { object, detections, children } = node;
  return (
    <li className={css.inner} data-inner={object.index}>
      <div className={css.innerName}>
        <span className="dim mono" title={object.index === object.parent ? 'The object itself' : `Within ${object.parent}`}>{object.index}</span>
        <span className="mono">{object.name || 'unnamed'}</span>
      </div>
      <div className={css.innerFacts}>
        <span className="mono">{object.mime_type || 'unknown type'}</span>
        <span>{bytes(object.size_bytes)}</span>
        {object.sha256 && <Copyable text={object.sha256} label={`hash of ${object.name || object.index}`} />}
      </div>
      {object.remark && <p className={css.remark}>{object.remark}</p>}
      {detections.map((one, at) => <DetectionCard key={at} one={one} />)}
      {children.length > 0 && <ul aria-label={`Within ${object.name || object.index}`}>{children.map((one) => <Inner key={one.object.index} node={one} />)}</ul>}
    </li>
  );
}

function Found({ report }: { report: Report }) {
  const [most, setMost] = useState(innerShownMax);
  const tree = innerTree(report, most);
  return (
    <>
      <h3>{report.detections.length === 0 ? 'No engine detected anything' : 'Detections'}</h3>
      {!tree && report.detections.map((one, at) => <DetectionCard key={at} one={one} />)}
      {tree && (
        <>
          {report.objects.length > 1 && <p className="dim">{report.objects.length} objects with what was unpacked; a detection stands where it was found.</p>}
          <ul className={css.tree} aria-label="What is in it"><Inner node={tree.root} /></ul>
          {tree.leftOut > 0 && <Button variant="default" size="compact-xs" onClick={() => setMost(Infinity)}>Show {tree.leftOut} more</Button>}
        </>
      )}
    </>
  );
}

function NotScanned({ lines }: { lines: string[] }) {
  return (
    <section className={css.warning} aria-label="Not fully scanned">
      <h3><IconAlertTriangle size={15} stroke={1.8} aria-hidden /> Not fully scanned</h3>
      <ul>{lines.map((line, at) => <li key={at}>{line}</li>)}</ul>
    </section>
  );
}

// Never something to click on: an analyst copies a link to where it is safe.
function Links({ links }: { links: string[] }) {
  const [most, setMost] = useState(linesShownMax);
  return (
    <>
      <h3>Links in it</h3>
      <ul className={css.links} aria-label="Links in it">
        {links.slice(0, most).map((link, at) => <li key={at}><Copyable text={link} label={`link ${at + 1}`} /></li>)}
      </ul>
      {links.length > most && <Button variant="default" size="compact-xs" onClick={() => setMost(Infinity)}>Show {links.length - most} more</Button>}
    </>
  );
}

function Engines({ report }: { report: Report }) {
  return (
    <>
      <h3>Engines</h3>
      <ul className={css.engines} aria-label="What each engine said">
        {engineWords(report).map(({ engine, rules }) => (
          <li key={engine}>
            <span className="mono">{engine}</span>
            {rules.length > 0 ? <strong className="mono">{rules.join(', ')}</strong> : <span className="dim">nothing detected</span>}
          </li>
        ))}
      </ul>
    </>
  );
}

export function ReportCard({ report }: { report: Report }) {
  return (
    <div className={css.report} data-testid="report">
      {report.not_scanned.length > 0 && <NotScanned lines={report.not_scanned} />}
      {report.error && <p role="alert" className={css.error}>{report.error}</p>}
      <Found report={report} />
      <Engines report={report} />
      {report.links.length > 0 && <Links links={report.links} />}
      <h3>Judgement</h3>
      <dl className={ui.facts}>
        <dt>Type</dt><dd className="mono">{report.mime_type || '—'}</dd>
        <dt>Judged</dt><dd><Stamp time={report.finished} /></dd>
        <dt>Took</dt><dd className="mono">{report.duration_ms} ms</dd>
      </dl>
    </div>
  );
}
