import { PageHead } from "../../ui/page";

export default function Library() {
  return <PageHead title="Library" />;
}
