import { Button } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { IconPlus, IconServer2 } from '@tabler/icons-react';
import { useState } from 'react';
import { api, read, type Host } from '@/shared/api/client';
import { useMayChange } from '@/shared/api/session';
import { Empty, Failure, Loading } from '@/shared/ui/states';
import ui from '@/shared/ui/ui.module.css';
import { AddHost } from './add_host';
import { HostCard } from './host_card';
import { HostTable } from './host_table';
import { PolicyCard } from './policy_card';
import { RevokeHost } from './revoke_host';

const refreshMs = 3_000;

export function HostsPage() {
  const hosts = useQuery({ queryKey: ['hosts'], queryFn: () => read(api.GET('/hosts')), refetchInterval: refreshMs });
  const mayChange = useMayChange();
  const [adding, setAdding] = useState(false);
  const [revoking, setRevoking] = useState<Host>();
  const [opened, setOpened] = useState<Host>();
  const list = hosts.data?.hosts ?? [];
  const connected = list.filter((host) => host.state === 'connected').length;
  return (
    <div className={ui.page}>
      <div className={ui.pageHead}>
        <h1>Hosts</h1>
        {hosts.data && <span className="dim">{connected} of {list.length} connected</span>}
        <span className={ui.spacer} />
        {mayChange && <Button leftSection={<IconPlus size={14} />} onClick={() => setAdding(true)}>Add host</Button>}
      </div>
      <section className={ui.card} aria-label="Hosts">
        {hosts.isPending && <Loading what="hosts" />}
        {hosts.isError && <Failure error={hosts.error} retry={() => void hosts.refetch()} />}
        {hosts.data && list.length === 0 && (
          <Empty title="No host yet" icon={<IconServer2 size={30} stroke={1.4} aria-hidden />}>“Add host” makes a token and shows the command that connects one.</Empty>
        )}
        {list.length > 0 && !hosts.isError && <HostTable hosts={list} onOpen={setOpened} onRevoke={mayChange ? setRevoking : undefined} />}
      </section>
      <PolicyCard mayChange={mayChange} />
      {opened && <HostCard id={opened.id} name={opened.name} onClose={() => setOpened(undefined)} />}
      {adding && <AddHost onClose={() => setAdding(false)} />}
      {revoking && <RevokeHost host={revoking} onClose={() => setRevoking(undefined)} />}
    </div>
  );
}
