import { Link } from 'react-router';

export interface MapPlace {
  kind: string;
  id: string;
  hostId?: string | undefined;
  around?: string | undefined;  // a time that is of interest
}

export function mapPath({ kind, id, hostId, around }: MapPlace): string {
  return `/map?${new URLSearchParams({ kind, id, ...(hostId && { host: hostId }), ...(around && { around }) })}`;
}

export function MapLink({ children, className, ...place }: MapPlace & { children: React.ReactNode; className?: string }) {
  return <Link to={mapPath(place)} className={className}>{children}</Link>;
}
