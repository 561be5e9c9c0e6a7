// The webhooks: who is told of jobs that end.
import { useState } from "react";
import { Link } from "wouter";
import { useNow } from "../../lib/now";
import { useUrlState } from "../../lib/url-state";
import { Button } from "../../ui/button";
import { More } from "../../ui/more";
import { Empty, Failure, Loading } from "../../ui/states";
import { Table } from "../../ui/table";
import { State } from "../jobs/state";
import styles from "./operations.module.css";
import { Secret } from "./secret";
import { WebhookDetails } from "./webhook";
import { WebhookForm } from "./webhook-form";
import { useWebhooks } from "./webhook-queries";
import { shownWebhook, type Webhook, webhookNotes } from "./webhook-words";

export function Webhooks() {
  const [state] = useUrlState();
  const chosen = state.get("webhook");
  return chosen ? <WebhookDetails key={chosen} id={chosen} /> : <List />;
}

function List() {
  const webhooks = useWebhooks();
  const items = webhooks.data?.pages.flatMap((page) => page.items) ?? [];
  const now = useNow();
  const [making, setMaking] = useState(false);
  const [made, setMade] = useState<string>();
  const make = (
    <Button icon="make" onClick={() => setMaking(true)}>
      New webhook
    </Button>
  );
  return (
    <div className={styles.page}>
      <div className={styles.head}>
        <p className="soft">
          A webhook tells another program at once when a job ends: by a signed request in the form of Standard Webhooks,
          sent again until it is taken.
        </p>
        {items.length > 0 && make}
      </div>
      {webhooks.isPending ? (
        <Loading label="Loading the webhooks" />
      ) : webhooks.isError && items.length === 0 ? (
        <Failure error={webhooks.error} again={() => void webhooks.refetch()} />
      ) : items.length === 0 ? (
        <Empty title="Nobody is told yet" action={make}>
          <p>Make a webhook with the address of whoever should know, such as a bot or a script of yours.</p>
        </Empty>
      ) : (
        <div className={`${styles.section} card`}>
          <Table<Webhook>
            caption="Webhooks, newest first"
            rows={items}
            keyOf={(webhook) => webhook.id}
            columns={[
              {
                name: "Webhook",
                heads: true,
                long: true,
                cell: (webhook) => (
                  <>
                    <Link href={`/operations?tab=webhooks&webhook=${webhook.id}`} className={styles.title}>
                      {webhook.description || webhook.url}
                    </Link>
                    {webhook.description && <span className={`${styles.below} soft small`}>{webhook.url}</span>}
                  </>
                ),
              },
              { name: "State", tight: true, cell: (webhook) => <State shown={shownWebhook(webhook)} /> },
              { name: "Told of", cell: (webhook) => webhook.events.join(", ") },
              {
                name: "Notes",
                cell: (webhook) => webhookNotes(webhook, now).join(" ") || <span className="soft">–</span>,
              },
            ]}
          />
        </div>
      )}
      <More
        has={webhooks.hasNextPage}
        busy={webhooks.isFetchingNextPage}
        failed={webhooks.isFetchNextPageError}
        load={() => void webhooks.fetchNextPage()}
      />
      {making && <WebhookForm close={() => setMaking(false)} revealed={setMade} />}
      {made && (
        <Secret title="The webhook’s secret" secret={made} close={() => setMade(undefined)}>
          Give it to the receiver: with it, it checks that a request comes from here. Libraries for Standard Webhooks
          take it as it is.
        </Secret>
      )}
    </div>
  );
}
