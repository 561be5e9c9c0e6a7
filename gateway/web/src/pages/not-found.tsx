import { ButtonLink } from "../ui/button";
import { usePageTitle } from "../ui/page";
import { Empty } from "../ui/states";

export function NotFound() {
  usePageTitle("Not found");
  return (
    <Empty title="There is no such page" action={<ButtonLink href="/">Go to the library</ButtonLink>}>
      <p>The address may be mistyped, or what it led to is gone.</p>
    </Empty>
  );
}
