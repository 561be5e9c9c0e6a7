// The ways in which a source comes into the list: a link or a path, files, the library.
import { type FormEvent, lazy, Suspense, useRef, useState } from "react";
import { Button } from "../../../ui/button";
import { Field } from "../../../ui/field";
import { useToasts } from "../../../ui/toast";
import { nameOf, newSource, readRef, type SourceRef } from "../draft/model";
import { dispatch, getDraft } from "../draft/store";
import styles from "./sources.module.css";
import { sendFiles } from "./uploads";

const Picker = lazy(() => import("./picker"));

/** Adds a source, and shows it. */
export function addSource(ref: SourceRef, name = nameOf(ref)): void {
  const source = newSource(ref, name);
  dispatch({ type: "add-source", source });
}

/** What a choice of files takes: anything that may be video. */
const TAKES = "video/*,.mkv,.ts,.m2ts,.mts,.flv,.mov,.mp4,.webm";

export function AddSource() {
  const [text, setText] = useState("");
  const [mistake, setMistake] = useState<string>();
  const [isPicking, setPicking] = useState(false);
  const files = useRef<HTMLInputElement>(null);
  const { say } = useToasts();
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const read = readRef(text);
    if (typeof read === "string") {
      setMistake(read);
      return;
    }
    const before = getDraft().sources.length;
    addSource(read);
    if (getDraft().sources.length === before) say("This source is in the list already.");
    setText("");
    setMistake(undefined);
  };
  return (
    <div className={styles.add}>
      <form onSubmit={submit} className={styles.link} noValidate>
        <Field
          label="Link to a video, or a path"
          help="A file or a finished stream, such as https://media.example/vod.mp4; for files of the operator, library:clips/a.mkv."
          mistake={mistake}
        >
          {(control) => (
            <div className={styles.line}>
              <input
                {...control}
                type="text"
                inputMode="url"
                autoComplete="off"
                autoCapitalize="none"
                spellCheck={false}
                maxLength={4096}
                placeholder="https://"
                value={text}
                onChange={(event) => {
                  setText(event.target.value);
                  setMistake(undefined);
                }}
              />
              <Button type="submit" icon="link">
                Add
              </Button>
            </div>
          )}
        </Field>
      </form>
      <div className={styles.ways}>
        <Button look="plain" icon="upload" onClick={() => files.current?.click()}>
          Upload files
        </Button>
        <input
          ref={files}
          type="file"
          accept={TAKES}
          multiple
          hidden
          onChange={(event) => {
            sendFiles([...(event.target.files ?? [])]);
            event.target.value = "";
          }}
        />
        <Button look="plain" icon="library" onClick={() => setPicking(true)}>
          From the library
        </Button>
        <p className="soft small">Files can be dropped anywhere on this page, too.</p>
      </div>
      {isPicking && (
        <Suspense>
          <Picker close={() => setPicking(false)} />
        </Suspense>
      )}
    </div>
  );
}
