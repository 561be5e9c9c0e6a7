import { PageHead } from "../../ui/page";

export default function Jobs() {
  return <PageHead title="Jobs" />;
}
