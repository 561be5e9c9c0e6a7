// Chooses a source from what the server has already: montages of the library, and files that were uploaded before.
import { useInfiniteQuery } from "@tanstack/react-query";
import { type ReactNode, useDeferredValue, useId, useState } from "react";
import { api, ask } from "../../../api/client";
import { keys } from "../../../api/queries";
import { age, bytes, clock } from "../../../lib/format";
import { Button } from "../../../ui/button";
import { Dialog } from "../../../ui/dialog";
import { More } from "../../../ui/more";
import { Failure, Loading } from "../../../ui/states";
import { Tabs } from "../../../ui/tabs";
import { addSource } from "./add";
import styles from "./sources.module.css";

const PAGE = 24;

export default function Picker({ close }: { close: () => void }) {
  const [tab, setTab] = useState("montages");
  return (
    <Dialog title="Add from the library" close={close}>
      <Tabs
        label="What to add"
        tabs={[
          { id: "montages", name: "Montages" },
          { id: "uploads", name: "Earlier uploads" },
        ]}
        chosen={tab}
        choose={setTab}
      >
        {tab === "montages" ? <Montages close={close} /> : <Uploads close={close} />}
      </Tabs>
    </Dialog>
  );
}

function Montages({ close }: { close: () => void }) {
  const id = useId();
  const [words, setWords] = useState("");
  const q = useDeferredValue(words.trim()) || undefined;
  const list = useInfiniteQuery({
    queryKey: [...keys.montages, "pick", q],
    initialPageParam: undefined as string | undefined,
    queryFn: ({ pageParam, signal }) =>
      ask(api.GET("/v1/montages", { params: { query: { q, limit: PAGE, cursor: pageParam } }, signal })),
    getNextPageParam: (page) => page.next_cursor ?? undefined,
  });
  const items = list.data?.pages.flatMap((page) => page.items);
  return (
    <>
      <label htmlFor={id} className="hidden-text">
        Search montages
      </label>
      <input
        id={id}
        type="search"
        placeholder="Search titles and what is said"
        maxLength={500}
        value={words}
        onChange={(event) => setWords(event.target.value)}
      />
      <Items query={list} none={q ? "Nothing in the library matches." : "There is no montage in the library yet."}>
        {items?.map((montage) => (
          <Item
            key={montage.id}
            name={montage.title}
            below={`${clock(montage.duration)} · ${montage.width}×${montage.height} · ${age(montage.created_at)}`}
            picture={montage.links.poster}
            choose={() => {
              addSource({ montage: montage.id }, montage.title);
              close();
            }}
          />
        ))}
      </Items>
    </>
  );
}

function Uploads({ close }: { close: () => void }) {
  const list = useInfiniteQuery({
    queryKey: keys.uploads,
    initialPageParam: undefined as string | undefined,
    queryFn: ({ pageParam, signal }) =>
      ask(api.GET("/v1/uploads", { params: { query: { limit: PAGE, cursor: pageParam } }, signal })),
    getNextPageParam: (page) => page.next_cursor ?? undefined,
  });
  const items = list.data?.pages.flatMap((page) => page.items);
  return (
    <Items query={list} none="Nobody has uploaded a file yet.">
      {items?.map((upload) => (
        <Item
          key={upload.id}
          name={upload.name || `Upload ${upload.id.slice(-6)}`}
          below={`${bytes(upload.bytes)} · ${age(upload.created_at)}`}
          choose={() => {
            addSource({ upload: upload.id }, upload.name || undefined);
            close();
          }}
        />
      ))}
    </Items>
  );
}

interface ItemsProps {
  query: {
    isPending: boolean;
    error: unknown;
    data: unknown;
    refetch: () => unknown;
    hasNextPage: boolean;
    isFetchingNextPage: boolean;
    isFetchNextPageError: boolean;
    fetchNextPage: () => unknown;
  };
  none: string;
  children: ReactNode[] | undefined;
}

function Items({ query, none, children }: ItemsProps) {
  if (query.isPending) return <Loading />;
  if (!query.data) return <Failure error={query.error} again={() => query.refetch()} />;
  if (!children || children.length === 0) return <p className={styles.none}>{none}</p>;
  return (
    <>
      <ul className={styles.items}>{children}</ul>
      <More
        has={query.hasNextPage}
        busy={query.isFetchingNextPage}
        failed={query.isFetchNextPageError}
        load={() => query.fetchNextPage()}
      />
    </>
  );
}

interface ItemProps {
  name: string;
  below: string;
  picture?: string;
  choose: () => void;
}

function Item({ name, below, picture, choose }: ItemProps) {
  return (
    <li className={styles.item}>
      {picture && <img src={picture} alt="" width="96" height="54" loading="lazy" />}
      <div>
        <p className={styles.name}>{name}</p>
        <p className="soft small">{below}</p>
      </div>
      <Button look="plain" small onClick={choose} aria-label={`Add ${name}`}>
        Add
      </Button>
    </li>
  );
}
