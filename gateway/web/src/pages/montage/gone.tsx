// A montage that is not there: never was, or was deleted, perhaps only a moment ago.
import { Problem } from "../../api/client";
import { useMay } from "../../api/session";
import { Button, ButtonLink } from "../../ui/button";
import { usePageTitle } from "../../ui/page";
import { Empty } from "../../ui/states";
import { useRestore } from "./data";

export function Gone({ id }: { id: string }) {
  usePageTitle("Not found");
  const mayWrite = useMay("write");
  const restore = useRestore(id);
  const late = restore.error instanceof Problem && restore.error.status === 404;
  return (
    <>
      <h1 className="hidden-text">Montage</h1>
      <Empty
        title="This montage is not in the library"
        action={
          <>
            <ButtonLink href="/" look={mayWrite ? "plain" : "main"}>
              Go to the library
            </ButtonLink>
            {mayWrite && !late && (
              <Button icon="again" busy={restore.isPending} onClick={() => restore.mutate()}>
                Bring it back
              </Button>
            )}
          </>
        }
      >
        {late ? (
          <p role="alert">It cannot be brought back: it was never there, or was deleted too long ago.</p>
        ) : (
          <p>
            Perhaps it was deleted, or its address is not complete.
            {mayWrite && " What was deleted within the last hour can be brought back."}
          </p>
        )}
        {restore.error && !late && <p role="alert">{restore.error.message}</p>}
      </Empty>
    </>
  );
}
