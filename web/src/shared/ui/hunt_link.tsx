import { Link } from 'react-router';

export function huntPath(query: string): string {
  return `/hunt?${new URLSearchParams({ q: query })}`;
}

export function HuntLink({ query, children, className }: { query: string; children: React.ReactNode; className?: string }) {
  return <Link to={huntPath(query)} className={className}>{children}</Link>;
}
