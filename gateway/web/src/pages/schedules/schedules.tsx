import { PageHead } from "../../ui/page";

export default function Schedules() {
  return <PageHead title="Schedules" />;
}
