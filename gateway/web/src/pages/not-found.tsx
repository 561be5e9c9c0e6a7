// An address that leads nowhere.
import { ButtonLink } from "../ui/button";
import { PageHead } from "../ui/page";

export function NotFound() {
  return (
    <>
      <PageHead title="There is no such page" below="The address may be mistyped, or what it led to is gone." />
      <ButtonLink href="/">Go to the library</ButtonLink>
    </>
  );
}
