// Makes a webhook or changes one.
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useRef, useState } from "react";
import { api, ask, Problem } from "../../api/client";
import { keys } from "../../api/queries";
import { Dialog } from "../../ui/dialog";
import { Field } from "../../ui/field";
import { useToasts } from "../../ui/toast";
import { Choices, FormEnd } from "./form-parts";
import styles from "./operations.module.css";
import { EVENTS, type Webhook, type WebhookEvent } from "./webhook-words";

interface WebhookFormProps {
  /** The one that is changed. */
  webhook?: Webhook;
  close: () => void;
  /** The secret of one that was made. */
  revealed?: (secret: string) => void;
}

export function WebhookForm({ webhook, close, revealed }: WebhookFormProps) {
  const client = useQueryClient();
  const { say } = useToasts();
  const form = useRef<HTMLFormElement>(null);
  const [url, setUrl] = useState(webhook?.url ?? "");
  const [description, setDescription] = useState(webhook?.description ?? "");
  const [events, setEvents] = useState<WebhookEvent[]>(webhook?.events ?? EVENTS.map(([event]) => event));
  const end = () => form.current?.closest("dialog")?.close();
  const save = useMutation({
    mutationFn: async () => {
      const body = { url: url.trim(), events, description: description.trim() || null };
      if (!webhook) return (await ask(api.POST("/v1/webhooks", { body }))).secret;
      await ask(api.PATCH("/v1/webhooks/{id}", { params: { path: { id: webhook.id } }, body }));
      return undefined;
    },
    onSuccess: (secret) => {
      void client.invalidateQueries({ queryKey: keys.webhooks });
      end();
      if (secret) revealed?.(secret);
      else say("The webhook is changed.");
    },
  });
  const problem = save.error instanceof Problem ? save.error : undefined;
  const elsewhere = save.error && !problem?.errors.length ? save.error.message : undefined;
  return (
    <Dialog title={webhook ? "Change the webhook" : "New webhook"} close={close}>
      <form
        ref={form}
        className={styles.form}
        onSubmit={(event) => {
          event.preventDefault();
          if (events.length > 0) save.mutate();
        }}
      >
        <Field
          label="Address"
          help="Where to send to: https, or http in your own network. Private addresses are opened by the operator (SM_FETCH_ALLOW)."
          mistake={problem?.at("/url")}
        >
          {(control) => (
            <input
              {...control}
              type="url"
              required
              maxLength={2000}
              autoComplete="off"
              spellCheck={false}
              placeholder="https://…"
              value={url}
              onChange={(event) => setUrl(event.target.value)}
            />
          )}
        </Field>
        <Field label="What it is for" mistake={problem?.at("/description")}>
          {(control) => (
            <input
              {...control}
              maxLength={200}
              placeholder="The bot of our channel"
              value={description}
              onChange={(event) => setDescription(event.target.value)}
            />
          )}
        </Field>
        <Choices
          legend="What it is told of"
          options={EVENTS}
          chosen={events}
          choose={setEvents}
          mistake={problem?.at("/events")}
        />
        <FormEnd
          elsewhere={elsewhere}
          cancel={end}
          busy={save.isPending}
          action={webhook ? "Save" : "Make the webhook"}
        />
      </form>
    </Dialog>
  );
}
