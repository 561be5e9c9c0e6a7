// Changing a montage's labels.
import { type FormEvent, useRef, useState } from "react";
import { Problem } from "../../api/client";
import type { Montage } from "../../api/types";
import { Button } from "../../ui/button";
import { Dialog } from "../../ui/dialog";
import { fromRows, LabelsField, labelChanges, toRows } from "../../ui/labels";
import { useToasts } from "../../ui/toast";
import { useChange, wasFaster } from "./data";
import styles from "./dialogs.module.css";

export function LabelEditor({ montage, close }: { montage: Montage; close: () => void }) {
  const form = useRef<HTMLFormElement>(null);
  const [rows, setRows] = useState(() => toRows(montage.labels));
  // What was seen: what somebody else adds meanwhile is not taken away.
  const [seen] = useState(montage.labels);
  const change = useChange(montage.id);
  const toasts = useToasts();
  const end = () => form.current?.closest("dialog")?.close();
  const save = (event: FormEvent) => {
    event.preventDefault();
    const labels = labelChanges(seen, fromRows(rows));
    if (Object.keys(labels).length === 0) return end();
    change.mutate(
      { labels },
      {
        onSuccess: () => {
          toasts.say("Labels changed");
          end();
        },
      },
    );
  };
  return (
    <Dialog title="Labels" close={close}>
      <form ref={form} className={styles.form} onSubmit={save}>
        <LabelsField
          rows={rows}
          change={setRows}
          help="Names have a to z, 0 to 9, _ - and . in them. The library can be narrowed to a label, and scripts find montages by it."
          mistake={mistakeOf(change.error)}
        />
        <div className={styles.actions}>
          <Button look="plain" onClick={end}>
            Cancel
          </Button>
          <Button type="submit" busy={change.isPending}>
            {wasFaster(change.error) ? "Save anyway" : "Save"}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}

function mistakeOf(error: unknown): string | undefined {
  if (!error) return undefined;
  if (wasFaster(error)) {
    return "Somebody changed this montage while you wrote. Nothing of yours was saved yet; saving changes only the labels that you changed.";
  }
  if (!(error instanceof Problem)) return "That did not work. Try again.";
  const mistake = error.errors.find(({ pointer }) => pointer.startsWith("/labels"));
  if (!mistake) return error.message;
  const name = mistake.pointer.slice("/labels/".length).replaceAll("~1", "/").replaceAll("~0", "~");
  return name ? `“${name}”: ${mistake.detail}` : mistake.detail;
}
