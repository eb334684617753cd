// The pages and who may see them. Each page is a chunk of its own, fetched when it is opened.
import { lazy, Suspense } from 'react';
import { Navigate, Route, Routes } from 'react-router';
import { LoginPage } from '@/features/login/login_page';
import { useSession } from '@/shared/api/session';
import { Empty, Failure, Loading } from '@/shared/ui/states';
import { Shell } from './shell';

const AlertsPage = lazy(() => import('@/features/alerts/alerts_page').then((m) => ({ default: m.AlertsPage })));
const AlertPage = lazy(() => import('@/features/alerts/alert_page').then((m) => ({ default: m.AlertPage })));
const ExternalSystemsPage = lazy(() => import('@/features/external_systems/external_systems_page').then((m) => ({ default: m.ExternalSystemsPage })));
const HuntPage = lazy(() => import('@/features/hunt/hunt_page').then((m) => ({ default: m.HuntPage })));
const HostsPage = lazy(() => import('@/features/hosts/hosts_page').then((m) => ({ default: m.HostsPage })));
const MapPage = lazy(() => import('@/features/map/map_page').then((m) => ({ default: m.MapPage })));
const ObjectsPage = lazy(() => import('@/features/objects/objects_page').then((m) => ({ default: m.ObjectsPage })));
const ReputationPage = lazy(() => import('@/features/reputation/reputation_page').then((m) => ({ default: m.ReputationPage })));
const RulesPage = lazy(() => import('@/features/rules/rules_page').then((m) => ({ default: m.RulesPage })));
const YaraPage = lazy(() => import('@/features/yara/yara_page').then((m) => ({ default: m.YaraPage })));
const RulePage = lazy(() => import('@/features/rules/rule_page').then((m) => ({ default: m.RulePage })));

export function App() {
  const session = useSession();
  if (session.isPending) return <Loading what="the console" />;
  if (session.isError) return <Failure error={session.error} retry={() => void session.refetch()} />;
  if (!session.data) return <LoginPage />;
  return (
    <Shell session={session.data}>
      <Suspense fallback={<Loading what="the page" />}>
        <Routes>
          <Route path="/" element={<Navigate to="/alerts" replace />} />
          <Route path="/alerts" element={<AlertsPage />} />
          <Route path="/alerts/:id" element={<AlertPage />} />
          <Route path="/hunt" element={<HuntPage />} />
          <Route path="/map" element={<MapPage />} />
          <Route path="/rules" element={<RulesPage />} />
          <Route path="/rules/:id" element={<RulePage />} />
          <Route path="/yara" element={<YaraPage />} />
          <Route path="/hosts" element={<HostsPage />} />
          <Route path="/external-systems" element={<ExternalSystemsPage />} />
          <Route path="/reputation" element={<ReputationPage />} />
          <Route path="/objects" element={<ObjectsPage />} />
          <Route path="/objects/:id" element={<ObjectsPage />} />
          <Route path="*" element={<Empty title="There is no such page">The address may be mistyped.</Empty>} />
        </Routes>
      </Suspense>
    </Shell>
  );
}
