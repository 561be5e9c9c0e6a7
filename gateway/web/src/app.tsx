// The page's frame and its places. Each place is a file of its own that is fetched when somebody goes there.
import { Component, lazy, type ReactNode, Suspense } from "react";
import { Route, Switch, useLocation } from "wouter";
import { LiveJobs } from "./api/jobs-live";
import { SessionGate } from "./api/session";
import { NotFound } from "./pages/not-found";
import { Shell } from "./ui/shell";
import { Failure, Loading } from "./ui/states";
import { ToastArea } from "./ui/toast";

const Library = lazy(() => import("./pages/library/library"));
const MontagePage = lazy(() => import("./pages/montage/montage"));
const Make = lazy(() => import("./pages/make/make"));
const Replay = lazy(() => import("./pages/replay/replay"));
const Jobs = lazy(() => import("./pages/jobs/jobs"));
const JobDetails = lazy(() => import("./pages/jobs/job"));
const Schedules = lazy(() => import("./pages/schedules/schedules"));
const ScheduleDetails = lazy(() => import("./pages/schedules/schedule"));
const Operations = lazy(() => import("./pages/operations/operations"));

export function App() {
  return (
    <ToastArea>
      <SessionGate>
        <LiveJobs>
          <Shell>
            <Places />
          </Shell>
        </LiveJobs>
      </SessionGate>
    </ToastArea>
  );
}

function Places() {
  const [path] = useLocation();
  return (
    <Mended place={path}>
      <Suspense fallback={<Loading />}>
        <Switch>
          <Route path="/" component={Library} />
          <Route path="/m/:id">{({ id }) => <MontagePage key={id} id={id} />}</Route>
          <Route path="/make" component={Make} />
          <Route path="/make/replay" component={Replay} />
          <Route path="/jobs" component={Jobs} />
          <Route path="/jobs/:id">{({ id }) => <JobDetails key={id} id={id} />}</Route>
          <Route path="/schedules" component={Schedules} />
          <Route path="/schedules/:id">{({ id }) => <ScheduleDetails key={id} id={id} />}</Route>
          <Route path="/operations" component={Operations} />
          <Route component={NotFound} />
        </Switch>
      </Suspense>
    </Mended>
  );
}

/** A place that breaks takes only itself down, and another place, or another try, is whole again. */
class Mended extends Component<{ place: string; children: ReactNode }, { error: unknown; place: string }> {
  override state = { error: null as unknown, place: this.props.place };

  static getDerivedStateFromError(error: unknown) {
    return { error };
  }

  static getDerivedStateFromProps(props: { place: string }, state: { place: string }) {
    return props.place === state.place ? null : { place: props.place, error: null };
  }

  override render() {
    if (this.state.error) return <Failure error={this.state.error} again={() => location.reload()} />;
    return this.props.children;
  }
}
