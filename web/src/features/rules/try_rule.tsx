// A rule that is not loaded: its text, run over history.
import { Textarea } from '@mantine/core';
import { useState } from 'react';
import ui from '@/shared/ui/ui.module.css';
import { History } from './history';
import css from './rules.module.css';

const example = `title: Curl by root
id: 00000000-0000-4000-8000-000000000001
logsource: { category: process_creation, product: linux }
detection:
  selection: { Image|endswith: /curl, User: root }
  condition: selection
level: medium
`;

export function TryRule() {
  const [text, setText] = useState(example);
  return (
    <>
      <section className={ui.card} aria-label="Rule text">
        <Textarea aria-label="Rule text (Sigma, Falco, OpenIOC, STIX or a list of indicators)" classNames={{ input: css.ruleText! }} variant="unstyled" rows={14} spellCheck={false}
          value={text} onChange={(event) => setText(event.currentTarget.value)} />
      </section>
      <History subject={{ text }} ready={text.trim() !== ''} />
    </>
  );
}
