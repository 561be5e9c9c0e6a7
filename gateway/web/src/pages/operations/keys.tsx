// The keys: who may do what. A key is shown when it is made, and never again.
import { useInfiniteQuery, useMutation, useQueryClient } from "@tanstack/react-query";
import { useRef, useState } from "react";
import { api, ask, Problem } from "../../api/client";
import { keys as names } from "../../api/queries";
import type { components } from "../../api/schema";
import type { Scope } from "../../api/types";
import { age, moment } from "../../lib/format";
import { useNow } from "../../lib/now";
import { Button } from "../../ui/button";
import { Confirm } from "../../ui/confirm";
import { Dialog } from "../../ui/dialog";
import { Field } from "../../ui/field";
import { More } from "../../ui/more";
import { Empty, Failure, Loading } from "../../ui/states";
import { Table } from "../../ui/table";
import { useToasts } from "../../ui/toast";
import { State } from "../jobs/state";
import { Choices, FormEnd } from "./form-parts";
import styles from "./operations.module.css";
import { Secret } from "./secret";

type Key = components["schemas"]["Key"];

const SCOPES: [Scope, string][] = [
  ["read", "Look: the library, search, jobs, schedules."],
  ["write", "Change: post, cancel and retry jobs, upload, edit montages and schedules."],
  ["admin", "Everything, with keys and webhooks. For operators."],
  ["executor", "Do the work. For executors, and for nobody else."],
];

export function Keys() {
  const keys = useInfiniteQuery({
    queryKey: names.keys,
    queryFn: ({ pageParam, signal }) => ask(api.GET("/v1/keys", { params: { query: { cursor: pageParam } }, signal })),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next_cursor ?? undefined,
  });
  const items = keys.data?.pages.flatMap((page) => page.items) ?? [];
  const now = useNow();
  const [making, setMaking] = useState(false);
  const [made, setMade] = useState<{ name: string; secret: string }>();
  const [revoking, setRevoking] = useState<Key>();
  const make = (
    <Button icon="make" onClick={() => setMaking(true)}>
      New key
    </Button>
  );
  return (
    <div className={styles.page}>
      <div className={styles.head}>
        <p className="soft">Programs and people show a key to be let in. Only hashes of keys are kept.</p>
        {items.length > 0 && make}
      </div>
      {keys.isPending ? (
        <Loading label="Loading the keys" />
      ) : keys.isError && items.length === 0 ? (
        <Failure error={keys.error} again={() => void keys.refetch()} />
      ) : items.length === 0 ? (
        <Empty title="There are no keys yet" action={make}>
          <p>
            While no key is needed, everybody who reaches this server may do everything. Make a key before you change
            that.
          </p>
        </Empty>
      ) : (
        <div className={`${styles.section} card`}>
          <Table<Key>
            caption="Keys, newest first"
            rows={items}
            keyOf={(key) => key.id}
            columns={[
              { name: "Name", heads: true, cell: (key) => key.name },
              { name: "Allows", cell: (key) => key.scopes.join(", ") },
              {
                name: "State",
                tight: true,
                cell: (key) => (
                  <State
                    shown={
                      key.revoked_at
                        ? { word: "Revoked", icon: "ended", look: "off" }
                        : { word: "Valid", icon: "check", look: "good" }
                    }
                  />
                ),
              },
              { name: "Last used", tight: true, cell: (key) => <When at={key.last_used_at} now={now} never="never" /> },
              { name: "Made", tight: true, cell: (key) => <When at={key.created_at} now={now} /> },
              {
                name: "What can be done",
                quiet: true,
                cell: (key) =>
                  !key.revoked_at && (
                    <Button look="danger" small onClick={() => setRevoking(key)} aria-label={`Revoke ${key.name}`}>
                      Revoke
                    </Button>
                  ),
              },
            ]}
          />
        </div>
      )}
      <More
        has={keys.hasNextPage}
        busy={keys.isFetchingNextPage}
        failed={keys.isFetchNextPageError}
        load={() => void keys.fetchNextPage()}
      />
      {making && <NewKey close={() => setMaking(false)} made={setMade} />}
      {made && (
        <Secret title={`The key “${made.name}”`} secret={made.secret} close={() => setMade(undefined)}>
          Programs send it as “Authorization: Bearer …”; people type it where this page asks for a key.
        </Secret>
      )}
      {revoking && <Revoke one={revoking} close={() => setRevoking(undefined)} />}
    </div>
  );
}

function When({ at, now, never = "" }: { at?: string | null; now: number; never?: string }) {
  if (!at) return <span className="soft">{never}</span>;
  return (
    <time dateTime={at} title={moment(at)}>
      {age(at, now)}
    </time>
  );
}

function NewKey({ close, made }: { close: () => void; made: (key: { name: string; secret: string }) => void }) {
  const client = useQueryClient();
  const form = useRef<HTMLFormElement>(null);
  const [name, setName] = useState("");
  const [scopes, setScopes] = useState<Scope[]>(["read"]);
  const end = () => form.current?.closest("dialog")?.close();
  const make = useMutation({
    mutationFn: () => ask(api.POST("/v1/keys", { body: { name: name.trim(), scopes } })),
    onSuccess: (key) => {
      void client.invalidateQueries({ queryKey: names.keys });
      end();
      made({ name: key.name, secret: key.secret });
    },
  });
  const problem = make.error instanceof Problem ? make.error : undefined;
  const elsewhere = make.error && !problem?.errors.length ? make.error.message : undefined;
  return (
    <Dialog title="New key" close={close}>
      <form
        ref={form}
        className={styles.form}
        onSubmit={(event) => {
          event.preventDefault();
          if (scopes.length > 0) make.mutate();
        }}
      >
        <Field label="Name" help="What it is for, so that you know it again." mistake={problem?.at("/name")}>
          {(control) => (
            <input
              {...control}
              required
              maxLength={100}
              autoComplete="off"
              placeholder="The bot of our channel"
              value={name}
              onChange={(event) => setName(event.target.value)}
            />
          )}
        </Field>
        <Choices
          legend="What it allows"
          options={SCOPES}
          chosen={scopes}
          choose={setScopes}
          mistake={problem?.at("/scopes")}
        />
        <FormEnd elsewhere={elsewhere} cancel={end} busy={make.isPending} action="Make the key" />
      </form>
    </Dialog>
  );
}

function Revoke({ one, close }: { one: Key; close: () => void }) {
  const client = useQueryClient();
  const { say } = useToasts();
  const run = async () => {
    await ask(api.DELETE("/v1/keys/{id}", { params: { path: { id: one.id } } }));
    say(`The key “${one.name}” is revoked.`);
    await client.invalidateQueries({ queryKey: names.keys });
  };
  return (
    <Confirm title="Revoke this key?" action="Revoke the key" danger run={run} close={close}>
      <p>
        Whoever uses “{one.name}” is locked out within ten seconds, with every browser session that was begun with it.
        This cannot be taken back.
      </p>
      <p className="soft small">
        {one.last_used_at ? `It was last used ${age(one.last_used_at)}.` : "It was never used."} It allows{" "}
        {one.scopes.join(", ")}.
      </p>
    </Confirm>
  );
}
