import { Button, Modal, Select } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import { api, read } from '@/shared/api/client';
import { Copyable } from '@/shared/ui/copyable';
import { Stamp } from '@/shared/ui/time';
import ui from '@/shared/ui/ui.module.css';
import { enrollCommand } from './enroll_command';
import css from './hosts.module.css';

const validities = [
  { value: '3600', label: 'One hour' }, { value: '86400', label: 'One day' }, { value: '604800', label: 'One week' },
];

export function AddHost({ onClose }: { onClose: () => void }) {
  const [valid, setValid] = useState('3600');
  const make = useMutation({
    mutationFn: () => read(api.POST('/enrollment-tokens', { body: { valid_s: Number(valid), uses: 1 } })),
  });
  const made = make.data;
  return (
    <Modal opened onClose={onClose} title="Add a host" size={640}>
      {!made ? (
        <>
          <p className={css.text}>A host joins with a token that works once, and checks this node by its certificate’s fingerprint.</p>
          <Select label="The token is valid for" w={180} data={validities} value={valid} onChange={(value) => value && setValid(value)} />
          {make.isError && <p role="alert" className={css.error}>{make.error.message}</p>}
          <div className={css.buttons}>
            <Button variant="default" onClick={onClose}>Cancel</Button>
            <Button loading={make.isPending} onClick={() => make.mutate()}>Make a token</Button>
          </div>
        </>
      ) : (
        <>
          <dl className={ui.facts}>
            <dt>Token</dt><dd><Copyable text={made.token} label="token" /></dd>
            <dt>Fingerprint</dt><dd><Copyable text={made.fingerprint} label="fingerprint" /></dd>
            <dt>Valid until</dt><dd><Stamp time={made.expires} /></dd>
          </dl>
          <p className={css.text}>On the host, put the token into a file that only root can read, then run:</p>
          <pre className={css.command} tabIndex={0} aria-label="Command">{enrollCommand(window.location.host, made.fingerprint)}</pre>
          <p className="dim">The token is shown only now.</p>
          <div className={css.buttons}><Button onClick={onClose}>Done</Button></div>
        </>
      )}
    </Modal>
  );
}
