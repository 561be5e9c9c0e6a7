import { PageHead } from "../../ui/page";

export default function JobDetails({ id }: { id: string }) {
  return <PageHead title="JobDetails" below={id} />;
}
