// For whoever runs this: how much work there is, who does it, what has gone wrong, who may do what, and who is told.
import { useMay } from "../../api/session";
import { useUrlState } from "../../lib/url-state";
import { PageHead } from "../../ui/page";
import { Empty } from "../../ui/states";
import { type Tab, Tabs } from "../../ui/tabs";
import { useStats } from "../jobs/queries";
import { Dead } from "./dead";
import { Executors } from "./executors";
import { Keys } from "./keys";
import { Overview } from "./overview";
import { Webhooks } from "./webhooks";

export default function Operations() {
  const [state, change] = useUrlState();
  const isAdmin = useMay("admin");
  const stats = useStats();
  const lost = (stats.data?.states.dead ?? 0) + (stats.data?.states.failed ?? 0);
  const tabs: Tab[] = [
    { id: "overview", name: "Overview", icon: "operations" },
    { id: "executors", name: "Executors", icon: "machine" },
    { id: "dead", name: "Dead jobs", icon: "ended", note: lost > 0 ? lost.toLocaleString("en") : undefined },
    { id: "keys", name: "Keys", icon: "key" },
    { id: "webhooks", name: "Webhooks", icon: "send" },
  ];
  const asked = state.get("tab");
  const chosen = tabs.some((tab) => tab.id === asked) ? (asked ?? "overview") : "overview";
  const forAdmins = chosen === "keys" || chosen === "webhooks";
  return (
    <>
      <PageHead title="Operations" windowTitle={`${tabs.find((tab) => tab.id === chosen)?.name} · Operations`} />
      <Tabs
        label="Operations"
        tabs={tabs}
        chosen={chosen}
        choose={(id) => change({ tab: id === "overview" ? null : id, webhook: null, state: null }, true)}
      >
        {forAdmins && !isAdmin ? (
          <Empty title="This is for operators">
            <p>
              {chosen === "keys" ? "Keys" : "Webhooks"} are seen and changed with a key that has the scope admin. Yours
              does not have it: sign out and use another one, or ask whoever runs this.
            </p>
          </Empty>
        ) : (
          <>
            {chosen === "overview" && <Overview />}
            {chosen === "executors" && <Executors />}
            {chosen === "dead" && <Dead />}
            {chosen === "keys" && <Keys />}
            {chosen === "webhooks" && <Webhooks />}
          </>
        )}
      </Tabs>
    </>
  );
}
