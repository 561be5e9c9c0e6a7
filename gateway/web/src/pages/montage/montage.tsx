import { PageHead } from "../../ui/page";

export default function MontagePage({ id }: { id: string }) {
  return <PageHead title="Montage" below={id} />;
}
