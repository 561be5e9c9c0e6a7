import { PageHead } from "../../ui/page";

export default function Make() {
  return <PageHead title="Make" />;
}
