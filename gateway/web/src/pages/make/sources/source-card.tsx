// One source: what it is, how its upload stands, what is wrong with it, and what can be done.
import { useRef, useState } from "react";
import { Problem } from "../../../api/client";
import { bytes, count, roughly } from "../../../lib/format";
import { Button } from "../../../ui/button";
import { Icon, type IconName } from "../../../ui/icon";
import { useToasts } from "../../../ui/toast";
import { type DraftSource, refText } from "../draft/model";
import { dispatch, getDraft, useDraft } from "../draft/store";
import { useFact } from "./facts";
import styles from "./sources.module.css";
import { cancel, goOn, pause, resume, retry, type Transfer, useTransfer } from "./uploads";
import { factsInWords } from "./words";

export function SourceCard({ source }: { source: DraftSource }) {
  const looked = useDraft((draft) => draft.form.source === source.key);
  const clips = useDraft((draft) => draft.clips.filter((clip) => clip.source === source.key).length);
  const transfer = useTransfer(source.key);
  const remove = useRemove(source);
  return (
    <li className={looked ? `${styles.source} ${styles.looked}` : styles.source}>
      <Icon name={iconOf(source)} />
      <div className={styles.words}>
        <h3 className={styles.name}>{source.name}</h3>
        {source.ref ? <Known source={source} /> : <Uploading source={source} transfer={transfer} />}
        {clips > 0 && <p className="soft small">{count(clips, "clip")}</p>}
      </div>
      <div className={styles.buttons}>
        <Button
          look={looked ? "plain" : "main"}
          small
          aria-pressed={looked}
          onClick={() => {
            dispatch({ type: "look-at", source: source.key });
            document.getElementById("moments")?.focus();
          }}
        >
          {looked ? "In the player" : "Show"}
        </Button>
        <Button look="quiet" small icon="trash" label={`Remove ${source.name}`} onClick={remove} />
      </div>
    </li>
  );
}

function iconOf(source: DraftSource): IconName {
  if (!source.ref || "upload" in source.ref) return "upload";
  if ("montage" in source.ref) return "library";
  return "link";
}

/** Takes a source out with its clips, and offers them back. An upload that is not finished is deleted for good. */
function useRemove(source: DraftSource): () => void {
  const { say } = useToasts();
  return () => {
    const draft = getDraft();
    const at = draft.sources.findIndex((one) => one.key === source.key);
    const clips = draft.clips
      .map((item, index) => ({ at: index, item }))
      .filter(({ item }) => item.source === source.key);
    if (!source.ref) cancel(source);
    dispatch({ type: "remove-source", key: source.key });
    const what = clips.length > 0 ? `${source.name} and ${count(clips.length, "clip")}` : source.name;
    if (!source.ref) {
      say(`The upload of ${what} is cancelled.`);
      return;
    }
    const sources = [{ at, item: source }];
    say(`${what} removed.`, { label: "Undo", run: () => dispatch({ type: "put-back", sources, clips }) });
  };
}

function Known({ source }: { source: DraftSource }) {
  const fact = useFact(source.key);
  const ref = source.ref ? refText(source.ref) : "";
  const where = ref !== source.name && /^https?:|^[^:]+:.*\//.test(ref) && (
    <p className={`${styles.where} soft small`}>{ref}</p>
  );
  if (fact.state === "failed") {
    return (
      <>
        {where}
        <p role="alert" className={styles.mistake}>
          {fact.error instanceof Problem ? fact.error.message : "It could not be looked into."}
        </p>
        <p className={styles.inline}>
          <Button look="plain" small icon="again" onClick={fact.again}>
            Look again
          </Button>
        </p>
      </>
    );
  }
  return (
    <>
      {where}
      <p className="soft small" role="status">
        {fact.probe ? factsInWords(fact.probe).join(" · ") : "Being looked into…"}
      </p>
    </>
  );
}

function Uploading({ source, transfer }: { source: DraftSource; transfer: Transfer | undefined }) {
  if (!transfer) return <BrokenOff source={source} />;
  const share = transfer.total > 0 ? transfer.sent / transfer.total : 0;
  return (
    <>
      <progress className={styles.progress} value={share} max={1} aria-label={`Upload of ${source.name}`} />
      <p className={transfer.state === "failed" ? styles.mistake : "soft small numbers"} role="status">
        {wordsOf(transfer)}
      </p>
      <p className={styles.inline}>
        {transfer.state === "running" && (
          <Button look="plain" small icon="pause" onClick={() => pause(source.key)}>
            Pause
          </Button>
        )}
        {transfer.state === "paused" && (
          <Button look="plain" small icon="play" onClick={() => resume(source.key)}>
            Go on
          </Button>
        )}
        {(transfer.state === "failed" || transfer.state === "waiting") && (
          <Button look="plain" small icon="again" onClick={() => retry(source.key)}>
            Try now
          </Button>
        )}
      </p>
    </>
  );
}

function wordsOf(transfer: Transfer): string {
  const far = `${bytes(transfer.sent)} of ${bytes(transfer.total)}`;
  switch (transfer.state) {
    case "running": {
      if (transfer.sent >= transfer.total) return "Sent; the server checks it…";
      if (!transfer.speed) return `Uploading: ${far}`;
      return `Uploading: ${far}, ${bytes(transfer.speed)}/s, ${roughly((transfer.total - transfer.sent) / transfer.speed)} left`;
    }
    case "waiting":
      return `The server does not answer; it is tried again by itself. ${far} are sent.`;
    case "paused":
      return `Paused: ${far}`;
    case "failed":
      return transfer.mistake ?? "The upload failed.";
  }
}

/** The page was left before the upload was done: the browser needs to be given the file once more. */
function BrokenOff({ source }: { source: DraftSource }) {
  const input = useRef<HTMLInputElement>(null);
  const [isOther, setOther] = useState(false);
  const file = source.file;
  return (
    <>
      <p className={styles.mistake}>
        {isOther
          ? `That is another file. Choose ${source.name}, unchanged, to go on.`
          : `The upload broke off${file && file.size > 0 ? ` after ${bytes(file.sent)} of ${bytes(file.size)}` : ""}. Choose the same file again, and it goes on from there.`}
      </p>
      <p className={styles.inline}>
        <Button look="plain" small icon="upload" onClick={() => input.current?.click()}>
          Choose {source.name}
        </Button>
        <input
          ref={input}
          type="file"
          hidden
          onChange={(event) => {
            const chosen = event.target.files?.[0];
            event.target.value = "";
            if (chosen) setOther(!goOn(source, chosen));
          }}
        />
      </p>
    </>
  );
}
