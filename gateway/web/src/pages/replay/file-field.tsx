// One file of a replay's job: chosen here and sent at once, or a link.
import { useEffect, useRef, useState } from "react";
import { Button } from "../../ui/button";
import { Field } from "../../ui/field";
import { type Given, isLink } from "./form";
import styles from "./replay.module.css";
import { sendFile } from "./send-file";

interface FileFieldProps {
  label: string;
  help: string;
  endings: string;
  needed: boolean;
  given: Given | undefined;
  mistake: string | undefined;
  give: (given: Given | undefined) => void;
  /** A file was chosen: before it is sent. */
  chose?: (file: File) => void;
  /** Whether it is on its way. */
  sending: (is: boolean) => void;
}

export function FileField({ label, help, endings, needed, given, mistake, give, chose, sending }: FileFieldProps) {
  const [link, setLink] = useState("");
  const [share, setShare] = useState<number | null>(null);
  const [failed, setFailed] = useState<string>();
  const stop = useRef<AbortController>(null);
  useEffect(() => () => stop.current?.abort(), []);
  const send = async (file: File) => {
    stop.current?.abort();
    const stopping = new AbortController();
    stop.current = stopping;
    setFailed(undefined);
    setShare(0);
    sending(true);
    give(undefined);
    chose?.(file);
    try {
      const upload = await sendFile(file, setShare, stopping.signal);
      give({ label: file.name, source: { upload } });
    } catch (error) {
      if (!stopping.signal.aborted) setFailed(error instanceof Error ? error.message : String(error));
    } finally {
      // Another file may have been chosen meanwhile.
      if (stop.current === stopping) {
        setShare(null);
        sending(false);
      }
    }
  };
  const wrongLink = link !== "" && !isLink(link) ? "A link begins with https:// or http://" : undefined;
  if (given && "upload" in given.source) {
    return (
      <div className={styles.given}>
        <span className={styles.label}>{label}</span>
        <span className={styles.file} dir="auto">
          {given.label}
        </span>
        <Button look="plain" small icon="again" onClick={() => give(undefined)}>
          Choose another<span className="hidden-text"> file as {label}</span>
        </Button>
        {mistake && <p className={styles.mistake}>{mistake}</p>}
      </div>
    );
  }
  return (
    <div className={styles.choose}>
      <Field label={`${label}${needed ? "" : " (optional)"}`} help={help} mistake={failed ?? mistake}>
        {(control) => (
          <input
            {...control}
            type="file"
            accept={endings}
            onChange={(event) => {
              const [file] = event.target.files ?? [];
              if (file) void send(file);
            }}
          />
        )}
      </Field>
      {share !== null && (
        <div className={styles.sending} role="status">
          <progress value={share} max={1} aria-label={`Sending the ${label.toLowerCase()}`} />
          <span className="numbers small">{Math.floor(share * 100)} %</span>
        </div>
      )}
      <Field label={`or a link to the ${label.toLowerCase()}`} mistake={wrongLink}>
        {(control) => (
          <input
            {...control}
            type="url"
            inputMode="url"
            autoComplete="off"
            spellCheck={false}
            placeholder="https://"
            maxLength={4096}
            value={link}
            onChange={(event) => {
              const text = event.target.value;
              setLink(text);
              give(isLink(text) ? { label: text, source: { url: text.trim() } } : undefined);
            }}
          />
        )}
      </Field>
    </div>
  );
}
