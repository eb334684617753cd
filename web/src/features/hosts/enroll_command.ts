// The command a new host runs. The token goes through a file: arguments are seen by every user of the host.
export function enrollCommand(nodeAddress: string, fingerprint: string): string {
  const address = nodeAddress.includes(':') ? nodeAddress : `${nodeAddress}:443`;
  return `redoubt-agent enroll --server ${address} \\
  --fingerprint ${fingerprint} \\
  --token-file /root/redoubt.token --data /var/lib/redoubt-agent`;
}
