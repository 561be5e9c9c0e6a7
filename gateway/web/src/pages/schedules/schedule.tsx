import { PageHead } from "../../ui/page";

export default function ScheduleDetails({ id }: { id: string }) {
  return <PageHead title="ScheduleDetails" below={id} />;
}
