// A run by hand that is different this once: for other days, or of what was made before.
import { useRef, useState } from "react";
import { Problem } from "../../api/client";
import type { Schedule } from "../../api/types";
import type { Json } from "../../lib/json";
import { Button } from "../../ui/button";
import { Dialog } from "../../ui/dialog";
import styles from "./editor.module.css";
import { useScheduleActions } from "./queries";
import { windowWords } from "./rule-words";
import { WindowFields } from "./window-fields";
import { toWindow, toWindowForm } from "./window-form";
import { refusalWords } from "./words";

export function RunDialog({ schedule, close }: { schedule: Schedule; close: () => void }) {
  const { run } = useScheduleActions(schedule, { quiet: true });
  const box = useRef<HTMLFormElement>(null);
  const [form, setForm] = useState(() => toWindowForm(null));
  const [again, setAgain] = useState(false);
  const end = () => box.current?.closest("dialog")?.close();
  const problem = run.error instanceof Problem ? run.error : undefined;
  const mistakes = Object.fromEntries(
    (problem?.errors ?? []).map(({ pointer, detail }) => [pointer.slice(1), detail] as const),
  );
  const elsewhere = run.error && !Object.keys(mistakes).some((field) => field.startsWith("window"));
  return (
    <Dialog title="Run for other days" close={close}>
      <form
        ref={box}
        className={styles.dialog}
        onSubmit={(event) => {
          event.preventDefault();
          const window = toWindow(form, false) as Json | null;
          run.mutate({ ...(window && { window: window as never }), ...(again && { again }) }, { onSuccess: end });
        }}
      >
        <WindowFields
          form={form}
          mode={form.mode}
          change={setForm}
          all={`as the schedule says: ${windowWords(schedule.window)}`}
          mistakes={mistakes}
        />
        <label className={styles.choice}>
          <input type="checkbox" checked={again} onChange={(event) => setAgain(event.target.checked)} />
          <span>
            <strong>Make again what was made before</strong>
            <span className="soft small">
              Otherwise a montage of days for which it was made already is not made twice.
            </span>
          </span>
        </label>
        {elsewhere && (
          <p role="alert" className={styles.mistake}>
            {refusalWords(run.error)}
          </p>
        )}
        <div className={styles.actions}>
          <Button look="plain" onClick={end}>
            Cancel
          </Button>
          <Button type="submit" icon="play" busy={run.isPending}>
            Run it
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
