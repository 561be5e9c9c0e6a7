// One webhook: how it fares, what it was told, and what can be done about it.
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { Link } from "wouter";
import { api, ask } from "../../api/client";
import { keys } from "../../api/queries";
import { moment } from "../../lib/format";
import { useNow } from "../../lib/now";
import { useUrlState } from "../../lib/url-state";
import { Button } from "../../ui/button";
import { Confirm } from "../../ui/confirm";
import { More } from "../../ui/more";
import { Failure, Loading } from "../../ui/states";
import { Table } from "../../ui/table";
import { useToasts } from "../../ui/toast";
import { State } from "../jobs/state";
import styles from "./operations.module.css";
import { Secret } from "./secret";
import { WebhookForm } from "./webhook-form";
import { useDeliveries, useWebhook } from "./webhook-queries";
import { type Delivery, deliveryWords, shownDelivery, shownWebhook, type Webhook, webhookNotes } from "./webhook-words";

export function WebhookDetails({ id }: { id: string }) {
  const webhook = useWebhook(id);
  return (
    <div className={styles.page}>
      <p>
        <Link href="/operations?tab=webhooks">All webhooks</Link>
      </p>
      {webhook.isPending ? (
        <Loading label="Loading the webhook" />
      ) : webhook.data ? (
        <>
          <About webhook={webhook.data} />
          <Deliveries webhook={webhook.data} />
        </>
      ) : (
        <Failure error={webhook.error} again={() => void webhook.refetch()} />
      )}
    </div>
  );
}

function About({ webhook }: { webhook: Webhook }) {
  const client = useQueryClient();
  const { say, complain } = useToasts();
  const [, change] = useUrlState();
  const now = useNow();
  const [asked, setAsked] = useState<"change" | "rotate" | "delete">();
  const [secret, setSecret] = useState<string>();
  const close = () => setAsked(undefined);
  const path = { path: { id: webhook.id } };
  const refresh = () => client.invalidateQueries({ queryKey: keys.webhooks });
  const test = useMutation({
    mutationFn: () => ask(api.POST("/v1/webhooks/{id}/test", { params: path })),
    onSuccess: () => say("A test is on its way. What becomes of it is shown among the deliveries."),
    onError: complain,
    onSettled: refresh,
  });
  const enable = useMutation({
    mutationFn: (enabled: boolean) => ask(api.PATCH("/v1/webhooks/{id}", { params: path, body: { enabled } })),
    onSuccess: (now) => say(now.enabled ? "The webhook is enabled." : "The webhook is disabled: nothing is sent."),
    onError: complain,
    onSettled: refresh,
  });
  const rotate = async () => {
    const rotated = await ask(api.POST("/v1/webhooks/{id}/rotate", { params: path }));
    await refresh();
    setSecret(rotated.secret);
  };
  const remove = async () => {
    await ask(api.DELETE("/v1/webhooks/{id}", { params: path }));
    say("The webhook is deleted.");
    change({ webhook: null }, true);
    await client.invalidateQueries({ queryKey: keys.webhooks, exact: true });
  };
  return (
    <section className={`${styles.section} card`} aria-labelledby="webhook-title">
      <header className={styles.head}>
        <h2 id="webhook-title">{webhook.description || webhook.url}</h2>
        <State shown={shownWebhook(webhook)} />
      </header>
      <p>
        <code>{webhook.url}</code>
      </p>
      <p className="small">
        Told of {webhook.events.join(", ")}. Made {moment(webhook.created_at)}.
      </p>
      {webhookNotes(webhook, now).map((note) => (
        <p key={note} className={styles.note}>
          {note}
        </p>
      ))}
      <div className={styles.buttons}>
        <Button icon="send" busy={test.isPending} onClick={() => test.mutate()}>
          Send a test
        </Button>
        <Button
          look="plain"
          icon={webhook.enabled ? "pause" : "resume"}
          busy={enable.isPending}
          onClick={() => enable.mutate(!webhook.enabled)}
        >
          {webhook.enabled ? "Disable" : "Enable"}
        </Button>
        <Button look="plain" icon="edit" onClick={() => setAsked("change")}>
          Change
        </Button>
        <Button look="plain" icon="key" onClick={() => setAsked("rotate")}>
          New secret
        </Button>
        <Button look="danger" icon="trash" onClick={() => setAsked("delete")}>
          Delete
        </Button>
      </div>
      {asked === "change" && <WebhookForm webhook={webhook} close={close} />}
      {asked === "rotate" && (
        <Confirm title="Give it a new secret?" action="Make a new secret" run={rotate} close={close}>
          <p>
            For 24 hours everything is signed with both, so that the receiver can change over without losing anything.
            After that the old one is worth nothing.
          </p>
        </Confirm>
      )}
      {asked === "delete" && (
        <Confirm title="Delete this webhook?" action="Delete the webhook" danger run={remove} close={close}>
          <p>
            Its receiver is told nothing any more, and the record of its deliveries goes. To stop it for a while,
            disable it.
          </p>
        </Confirm>
      )}
      {secret && (
        <Secret title="The webhook’s new secret" secret={secret} close={() => setSecret(undefined)}>
          Give it to the receiver within 24 hours; until then the old one signs too.
        </Secret>
      )}
    </section>
  );
}

function Deliveries({ webhook }: { webhook: Webhook }) {
  const client = useQueryClient();
  const { say, complain } = useToasts();
  const deliveries = useDeliveries(webhook.id);
  const items = deliveries.data?.pages.flatMap((page) => page.items) ?? [];
  const now = useNow(5000);
  const again = useMutation({
    mutationFn: (delivery: string) =>
      ask(
        api.POST("/v1/webhooks/{id}/deliveries/{delivery}/retry", { params: { path: { id: webhook.id, delivery } } }),
      ),
    onSuccess: () => say("It is sent again."),
    onError: complain,
    onSettled: () => client.invalidateQueries({ queryKey: keys.webhooks }),
  });
  return (
    <section className={`${styles.section} card`} aria-labelledby="deliveries-title">
      <h2 id="deliveries-title">Deliveries</h2>
      {deliveries.isPending ? (
        <Loading label="Loading the deliveries" />
      ) : deliveries.isError && items.length === 0 ? (
        <Failure error={deliveries.error} again={() => void deliveries.refetch()} />
      ) : items.length === 0 ? (
        <p className="soft">Nothing was sent yet. Send a test to see whether the receiver takes it.</p>
      ) : (
        <Table<Delivery>
          caption="Deliveries, newest first"
          rows={items}
          keyOf={(delivery) => delivery.id}
          columns={[
            {
              name: "Event",
              heads: true,
              cell: (delivery) => (
                <>
                  {delivery.event}
                  {delivery.job_id && (
                    <span className={styles.below}>
                      <Link href={`/jobs/${delivery.job_id}`}>its job</Link>
                    </span>
                  )}
                </>
              ),
            },
            { name: "State", tight: true, cell: (delivery) => <State shown={shownDelivery(delivery)} /> },
            { name: "Tries", tight: true, cell: (delivery) => <span className="numbers">{delivery.attempts}</span> },
            {
              name: "How it went",
              cell: (delivery) => deliveryWords(delivery, now) || <span className="soft">–</span>,
            },
            {
              name: "Happened",
              tight: true,
              cell: (delivery) => <time dateTime={delivery.created_at}>{moment(delivery.created_at)}</time>,
            },
            {
              name: "What can be done",
              quiet: true,
              cell: (delivery) =>
                delivery.state !== "delivered" && (
                  <Button
                    look="plain"
                    small
                    busy={again.isPending && again.variables === delivery.id}
                    onClick={() => again.mutate(delivery.id)}
                  >
                    Send again
                  </Button>
                ),
            },
          ]}
        />
      )}
      <More
        has={deliveries.hasNextPage}
        busy={deliveries.isFetchingNextPage}
        failed={deliveries.isFetchNextPageError}
        load={() => void deliveries.fetchNextPage()}
      />
    </section>
  );
}
