import { PageHead } from "../../ui/page";

export default function Operations() {
  return <PageHead title="Operations" />;
}
