// The library: everything that was made, newest first, found by words and narrowed by filters that live in the address.
import { useInfiniteQuery } from "@tanstack/react-query";
import { api, ask } from "../../api/client";
import { keys } from "../../api/queries";
import { useMay } from "../../api/session";
import { count } from "../../lib/format";
import { useUrlState } from "../../lib/url-state";
import { Button, ButtonLink } from "../../ui/button";
import { PageHead } from "../../ui/page";
import { Empty, Failure } from "../../ui/states";
import { type Filters as Chosen, filtersOf, isFiltered, NO_FILTERS, queryOf } from "./filter-state";
import { Filters } from "./filters";
import { Grid, GridSkeleton } from "./grid";
import { Moments } from "./moments";

/** Montages of one page of the list. */
const PAGE = 48;

export default function Library() {
  const [state, change] = useUrlState();
  const filters = filtersOf(state);
  const query = queryOf(filters);
  const list = useInfiniteQuery({
    queryKey: [...keys.montages, query],
    queryFn: ({ pageParam, signal }) =>
      ask(api.GET("/v1/montages", { params: { query: { ...query, limit: PAGE, cursor: pageParam } }, signal })),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next_cursor ?? undefined,
  });
  const items = list.data?.pages.flatMap((page) => page.items) ?? [];
  const title = filters.q ? `Results for “${filters.q}”` : "Library";
  const clear = () => change(NO_FILTERS);
  return (
    <>
      <PageHead title={title} below={<Loaded number={items.length} more={list.hasNextPage} shown={list.isSuccess} />} />
      <Filters filters={filters} change={change} />
      {filters.q && !filters.label && !filters.streamer && !filters.kind && !filters.since && !filters.until && (
        <Moments words={filters.q} />
      )}
      {list.isPending ? (
        <GridSkeleton />
      ) : items.length > 0 ? (
        <Grid
          items={items}
          words={filters.q}
          more={list.hasNextPage}
          loading={list.isFetchingNextPage}
          error={list.isFetchNextPageError ? list.error : null}
          load={() => void list.fetchNextPage()}
        />
      ) : list.isError ? (
        <Failure error={list.error} again={() => void list.refetch()} />
      ) : (
        <Nothing filters={filters} clear={clear} />
      )}
    </>
  );
}

/** How many are shown, said when it changes. */
function Loaded({ number, more, shown }: { number: number; more: boolean; shown: boolean }) {
  return (
    <span role="status">
      {shown && number > 0 ? `${count(number, "montage")}${more ? " so far, more as you scroll" : ""}` : "\u00a0"}
    </span>
  );
}

function Nothing({ filters, clear }: { filters: Chosen; clear: () => void }) {
  const mayWrite = useMay("write");
  if (isFiltered(filters)) {
    return (
      <Empty
        title="Nothing in the library matches"
        action={
          <Button look="plain" onClick={clear}>
            Show everything
          </Button>
        }
      >
        <p>
          Every word has to stand in a title, a streamer's name or what is said. Fewer words, or fewer filters, find
          more.
        </p>
      </Empty>
    );
  }
  return (
    <Empty
      title="The library is empty"
      action={
        mayWrite ? (
          <ButtonLink href="/make" icon="make">
            Make the first montage
          </ButtonLink>
        ) : undefined
      }
    >
      <p>
        A montage is made of moments: a video's link, a start and an end are enough. Scripts post them to the{" "}
        <a href="/docs">API</a>.
      </p>
    </Empty>
  );
}
